// Times as RFC 3339 has them.

/** `2026-01-31T12:00:00.000Z`, of milliseconds since the epoch; "" for what is no date, where `toISOString` throws: times of certificates and files may be anything. */
export function formatISOTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString();
}
