// The dates of HTTP (RFC 9110 section 5.6.7), in seconds since the epoch.

/** `Sun, 06 Nov 1994 08:49:37 GMT`: the only form to send. Fractions of a second are cut off. */
export function formatHTTPDate(seconds: number): string {
  return new Date(Math.floor(seconds) * 1000).toUTCString();
}

/**
 * Parses the current form, and the two obsolete ones that a recipient must accept; `undefined` for any other text. The
 * weekday must be a valid name, but need not match the date. `now` (seconds since the epoch) determines the century of
 * a two-digit year.
 */
export function parseHTTPDate(text: string, now: number = Date.now() / 1000): number | undefined {
  // Longer than any valid date: skip the regular expressions.
  if (text.length > 33) return undefined;
  const fixed = imfFixdate.exec(text);
  if (fixed !== null) return secondsOf(fixed[3], fixed[2], fixed[1], fixed[4], fixed[5], fixed[6]);
  const ascTime = asctimeDate.exec(text);
  if (ascTime !== null) return secondsOf(ascTime[6], ascTime[1], ascTime[2], ascTime[3], ascTime[4], ascTime[5]);
  const obsolete = rfc850Date.exec(text);
  if (obsolete === null) return undefined;
  return secondsOf(
    String(fullYear(Number(obsolete[3]), now)),
    obsolete[2],
    obsolete[1],
    obsolete[4],
    obsolete[5],
    obsolete[6],
  );
}

/** `Sun, 06 Nov 1994 08:49:37 GMT` */
const imfFixdate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/;
/** `Sunday, 06-Nov-94 08:49:37 GMT` */
const rfc850Date =
  /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\d\d)-([A-Z][a-z]{2})-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/;
/** `Sun Nov  6 08:49:37 1994` */
const asctimeDate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) (\d\d| \d) (\d\d):(\d\d):(\d\d) (\d{4})$/;

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** A year more than 50 years in the future is the last past year with these two digits. */
function fullYear(twoDigits: number, now: number): number {
  const thisYear = new Date(now * 1000).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + twoDigits;
  return year > thisYear + 50 ? year - 100 : year;
}

type Part = string | undefined;

function secondsOf(
  year: Part,
  monthName: Part,
  day: Part,
  hours: Part,
  minutes: Part,
  seconds: Part,
): number | undefined {
  const month = months.indexOf(monthName ?? "");
  const date = new Date(0);
  // Not Date.UTC, which interprets the years 0 to 99 as 1900 to 1999.
  date.setUTCFullYear(Number(year), month, Number(day));
  // An invalid day would silently become a day of the next month. 60 is a leap second.
  if (month === -1 || date.getUTCMonth() !== month || date.getUTCDate() !== Number(day)) return undefined;
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 60) return undefined;
  return date.getTime() / 1000 + Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}
