// Dates by the format of strftime, as far as pages use it, in English.

/** "" for what is no date, such as that of a backend's malformed field. */
export function formatTime(date: Date, format: string, isUTC: boolean): string {
  // The parts are read as those of UTC, from a date that is shifted for the local time.
  const shift = isUTC ? 0 : date.getTimezoneOffset();
  const shown = new Date(date.getTime() - shift * 60_000);
  // The last of all dates, shifted, is none any more.
  if (Number.isNaN(shown.getTime())) return "";
  return format.replace(/%([a-zA-Z%])/g, (written, letter: string) => parts[letter]?.(shown, shift) ?? written);
}

type Part = (date: Date, shift: number) => string;

const two = (value: number): string => String(value).padStart(2, "0");
const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const months = [
  ["January", "February", "March", "April", "May", "June"],
  ["July", "August", "September", "October", "November", "December"],
].flat();
const day: Part = (date) => days[date.getUTCDay()] ?? "";
const month: Part = (date) => months[date.getUTCMonth()] ?? "";
const clock: Part = (date) => [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(":");

function zone(_date: Date, shift: number): string {
  const minutes = Math.abs(shift);
  return `${shift > 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}${two(minutes % 60)}`;
}

const parts: Readonly<Record<string, Part | undefined>> = {
  a: (date, shift) => day(date, shift).slice(0, 3),
  A: day,
  b: (date, shift) => month(date, shift).slice(0, 3),
  B: month,
  d: (date) => two(date.getUTCDate()),
  e: (date) => String(date.getUTCDate()).padStart(2, " "),
  F: (date) => date.toISOString().slice(0, 10),
  H: (date) => two(date.getUTCHours()),
  I: (date) => two(date.getUTCHours() % 12 || 12),
  m: (date) => two(date.getUTCMonth() + 1),
  M: (date) => two(date.getUTCMinutes()),
  p: (date) => (date.getUTCHours() < 12 ? "AM" : "PM"),
  s: (date, shift) => String(Math.floor(date.getTime() / 1000) + shift * 60),
  S: (date) => two(date.getUTCSeconds()),
  T: clock,
  y: (date) => two(date.getUTCFullYear() % 100),
  Y: (date) => String(date.getUTCFullYear()),
  z: zone,
  Z: (date, shift) => (shift === 0 ? "GMT" : zone(date, shift)),
  "%": () => "%",
};
