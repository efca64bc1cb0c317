/** The time on the clock of this computer, with the day unless it is today: `16:40`, `4 Mar 09:10`. */
export function clockTime(ms: number, to: 'minutes' | 'seconds' = 'minutes', now = Date.now()): string {
  const at = new Date(ms);
  const pad = (part: number) => String(part).padStart(2, '0');
  const time = [at.getHours(), at.getMinutes(), ...(to === 'seconds' ? [at.getSeconds()] : [])].map(pad).join(':');
  const isToday = at.toDateString() === new Date(now).toDateString();
  return isToday ? time : `${at.getDate()} ${at.toLocaleString('en', { month: 'short' })} ${time}`;
}
