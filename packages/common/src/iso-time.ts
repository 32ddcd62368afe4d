// Times in the format of RFC 3339.

/**
 * Formats milliseconds since the epoch as `2026-01-31T12:00:00.000Z`. Returns "" for an invalid date, for which
 * `toISOString` throws: times of certificates and files may have any value.
 */
export function formatISOTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString();
}
