// The time formats of log lines.

import { formatISOTime } from "@hemi/common";
import { flat } from "./flat.ts";

/** `31/Jan/2026:12:00:00 +0000`, of milliseconds since the epoch. */
export function combinedTime(time: number): string {
  const second = Math.floor(time / 1000);
  if (second !== latestSecond.second) {
    // Sat, 31 Jan 2026 12:00:00 GMT
    const text = new Date(time).toUTCString();
    const date = `${text.slice(5, 7)}/${text.slice(8, 11)}/${text.slice(12, 16)}`;
    latestSecond = { second, text: flat(`${date}:${text.slice(17, 25)} +0000`) };
  }
  return latestSecond.text;
}

/** `2026-01-31T12:00:00.000Z` */
export function isoTime(time: number): string {
  if (time !== latest.time) latest = { time, text: formatISOTime(time) };
  return latest.text;
}

/** A duration in milliseconds with three decimal places, `0.042`: a JSON number. */
export function milliseconds(duration: number): string {
  const micros = Math.max(0, Math.round(duration * 1000));
  const part = micros % 1000;
  const below = (thousandths[part] ??= flat((part / 1000).toFixed(3)));
  return micros < 1000 ? below : Math.trunc(micros / 1000) + below.slice(1);
}

/** Cached texts of the latest second and millisecond, which many lines share on a busy server. */
let latestSecond = { second: NaN, text: "" };
let latest = { time: NaN, text: "" };

/** `0.000` to `0.999`, once they were needed: formatting a fraction costs more than the rest of a line. */
const thousandths = Array.from<string | undefined>({ length: 1000 });
