// Times of certificates.

/**
 * Reads `validFrom` or `validTo` of a certificate; an invalid date for a time that does not exist. The properties
 * `validFromDate` and `validToDate` are no substitute: for such a time they have any date.
 */
export function certificateTime(text: string): Date {
  return new Date(text);
}
