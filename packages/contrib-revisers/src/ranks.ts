// The ranks of the revisers in this package: 0 is nearest to the wire, so a response passes them from the last line to
// the first.

/** Encodes the output of all others. */
export const gzipRank = 4;
/** Decodes what the client does not accept, and decodes requests before all others. */
export const gunzipRank = 6;
export const headRank = 8;
export const wrapRank = 16;
export const replaceRank = 20;
/** The others also transform included content. */
export const ssiRank = 24;
