// Numbers for people.

/** Requests per second: three digits. @param {number | null} value */
export function rate(value) {
  if (value === null) return "–";
  if (value === 0) return "0";
  if (value < 0.01) return "< 0.01";
  if (value < 10) return value.toFixed(2);
  if (value < 100) return value.toFixed(1);
  if (value < 10_000) return Math.round(value).toLocaleString("en-US");
  return value < 1e6 ? `${(value / 1000).toFixed(1)} k` : `${(value / 1e6).toFixed(2)} M`;
}

/** For an axis. @param {number} value */
export function perSecond(value) {
  return `${value >= 10_000 ? rate(value) : Number(value.toPrecision(3)).toLocaleString("en-US")} /s`;
}

/** @param {number | null} value In ms. */
export function time(value) {
  if (value === null) return "–";
  if (value === 0) return "0 ms";
  if (value < 0.1) return `${Math.round(value * 1000)} µs`;
  if (value < 10) return `${value.toFixed(1)} ms`;
  return value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(2)} s`;
}

/** @param {number | null} count */
export function bytes(count) {
  if (count === null) return "–";
  const units = ["B", "KB", "MB", "GB", "TB"];
  let value = count;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** @param {number} share From 0 to 1. */
export function percent(share) {
  return share > 0 && share < 0.01 ? `${(share * 100).toFixed(1)} %` : `${Math.round(share * 100)} %`;
}

/** How long ago, or how long: the two largest units. @param {number} ms */
export function span(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count !== 0);
  if (first === -1) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count !== 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}

/** The largest unit of a time. @param {number} ms */
export function age(ms) {
  return span(ms).split(" ").slice(0, 2).join(" ");
}

/** The time of day, with seconds. @param {number} ms Since the epoch. */
export function clock(ms) {
  return new Date(ms).toLocaleTimeString("en-GB");
}

/** @param {number} count @param {string} noun */
export function counted(count, noun) {
  return `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;
}
