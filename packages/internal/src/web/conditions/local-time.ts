// The time of day, for conditions such as "on weekends".

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const minute = 60_000;

/** The last text, and the minute that it is for: many requests come in one. */
let known = { minute: NaN, text: "" };

/** Day of the week and time in the time zone of the process (`TZ`): `Mon 09:05`. */
export function localTime(now = Date.now()): string {
  const current = Math.floor(now / minute);
  if (known.minute !== current) {
    const date = new Date(now);
    const [hours, minutes] = [date.getHours(), date.getMinutes()].map((part) => String(part).padStart(2, "0"));
    known = { minute: current, text: `${days[date.getDay()]} ${hours}:${minutes}` };
  }
  return known.text;
}
