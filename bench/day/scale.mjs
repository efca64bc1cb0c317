const { DAY_SPEED = '1', DAY_START = '0', DAY_EPOCH = '0' } = process.env;

// DAY_START at the real time DAY_EPOCH, and DAY_SPEED times as fast since.
export function scaledNow() {
  return Number(DAY_START) + (Date.now() - Number(DAY_EPOCH)) * Number(DAY_SPEED);
}

export function scaledClock({ sleep }) {
  return {
    now: scaledNow,
    // Above zero for as long ago as anything in a warehouse can be.
    uptime: () => scaledNow() - Number(DAY_START) + 1e9,
    bootId: 'scaled',
    sleep: (ms, signal) => sleep(ms / Number(DAY_SPEED), signal),
  };
}
