// Where the revisers of this package stand: 0 is nearest to the wire, so that an answer passes them from the last line to the first.

/** Codes what all others have made. */
export const gzipRank = 4;
/** Takes off what the client cannot take, and gives requests to all others as they were meant. */
export const gunzipRank = 6;
export const headRank = 8;
export const wrapRank = 16;
export const replaceRank = 20;
/** What it includes is seen by the others. */
export const ssiRank = 24;
