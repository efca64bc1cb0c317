// Plain JavaScript, as it is preloaded into a daemon whose memory is measured.

export const ENVIRONMENT = 'FAST_CLOCK';

export function timeAt({ start, from, speed }) {
  return start + (Date.now() - from) * speed;
}

export function fastClock(pace, { sleep }) {
  return {
    now: () => timeAt(pace),
    // Above zero for as long ago as anything in a warehouse can be.
    uptime: () => timeAt(pace) - pace.start + 1e9,
    bootId: 'fast',
    sleep: (ms, signal) => sleep(ms / pace.speed, signal),
  };
}
