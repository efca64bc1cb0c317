/** The kernel counts CPU time in steps of some milliseconds. */
const ENOUGH_MS = 60;

/** Milliseconds that this thread works for one run, which nothing else on the machine lengthens. */
export function cpuMs(run: () => unknown): number {
  const before = process.threadCpuUsage();
  for (let runs = 1; ; runs++) {
    run();
    const { user, system } = process.threadCpuUsage(before);
    const ms = (user + system) / 1000;
    if (ms >= ENOUGH_MS) return ms / runs;
  }
}
