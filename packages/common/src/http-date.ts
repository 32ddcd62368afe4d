// The dates of HTTP: RFC 9110, section 5.6.7.

const monthNames = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const month = `(${monthNames.join("|")})`;
const shortDay = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const longDay = "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)";
const time = "([0-9]{2}):([0-9]{2}):([0-9]{2})";

/** `Sun, 06 Nov 1994 08:49:37 GMT` */
const imfFixdate = new RegExp(`^${shortDay}, ([0-9]{2}) ${month} ([0-9]{4}) ${time} GMT$`);
/** `Sunday, 06-Nov-94 08:49:37 GMT` */
const rfc850Date = new RegExp(`^${longDay}, ([0-9]{2})-${month}-([0-9]{2}) ${time} GMT$`);
/** `Sun Nov  6 08:49:37 1994` */
const asctimeDate = new RegExp(`^${shortDay} ${month} ([0-9]{2}| [0-9]) ${time} ([0-9]{4})$`);

/** The times that have a year of four digits: ms since the epoch. */
const earliest = Date.parse("0000-01-01T00:00:00Z");
const latest = Date.parse("9999-12-31T23:59:59Z");

/**
 * Writes a time (ms since the epoch, rounded down to the second) as an IMF-fixdate, the only form that may be sent:
 * `Sun, 06 Nov 1994 08:49:37 GMT`. A time outside the years 0 to 9999, which the form cannot say, becomes the nearest that it can.
 *
 * @throws RangeError if the time is not a number.
 */
export function formatHttpDate(ms: number): string {
  if (Number.isNaN(ms)) throw new RangeError("a date has to be a number");
  return new Date(Math.min(Math.max(ms, earliest), latest)).toUTCString();
}

/**
 * Reads any of the three forms that a recipient has to understand; anything else, and any day that does not exist, is
 * `undefined`. Strict by the grammar: letter case and spaces count. That the name of the day fits the date is not asked.
 * A leap second (`:60`) is the first second of the next minute.
 *
 * @param now decides the century of a year of two digits (RFC 9110: more than 50 years ahead means the past).
 * @returns ms since the epoch.
 */
export function parseHttpDate(text: string, now: number = Date.now()): number | undefined {
  let match = imfFixdate.exec(text);
  if (match) {
    const [, day = "", name = "", year = "", hour = "", minute = "", second = ""] = match;
    return toTime(Number(year), name, day, hour, minute, second);
  }
  match = rfc850Date.exec(text);
  if (match) {
    const [, day = "", name = "", shortYear = "", hour = "", minute = "", second = ""] = match;
    const thisYear = new Date(now).getUTCFullYear();
    const year = thisYear - (thisYear % 100) + Number(shortYear);
    const ms = toTime(year, name, day, hour, minute, second);
    const limit = new Date(now).setUTCFullYear(thisYear + 50);
    return ms !== undefined && ms <= limit ? ms : toTime(year - 100, name, day, hour, minute, second);
  }
  match = asctimeDate.exec(text);
  if (match) {
    const [, name = "", day = "", hour = "", minute = "", second = "", year = ""] = match;
    return toTime(Number(year), name, day, hour, minute, second);
  }
  return undefined;
}

function toTime(
  year: number,
  name: string,
  dayText: string,
  hour: string,
  minute: string,
  second: string,
): number | undefined {
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  const day = Number(dayText);
  const date = new Date(0);
  // Date.UTC takes the years 0 to 99 for those of the twentieth century; setUTCFullYear does not.
  date.setUTCFullYear(year, monthNames.indexOf(name), day);
  // The 31st of a shorter month, or day 0, has moved to another day.
  if (date.getUTCDate() !== day) return undefined;
  return date.setUTCHours(Number(hour), Number(minute), Number(second));
}
