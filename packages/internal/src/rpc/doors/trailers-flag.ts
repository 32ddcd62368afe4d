// The flag of gRPC-Web by itself: who needs no more than this does not load what serves gRPC.

/** In the flags of an envelope: its content is trailers, in the form of HTTP/1. */
export const trailersFlag = 0x80;
