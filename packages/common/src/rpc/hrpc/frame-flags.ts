// The flags of frames, by type.

/** Of MESSAGE: the message goes on in the next MESSAGE frame of the stream. */
export const more = 0x01;
/**
 * Of MESSAGE: no message follows this one. From the callee: nothing at all, as the call went well. Of CALL: its only
 * message stands behind the head.
 */
export const last = 0x02;
/** Of MESSAGE, and of CALL with a message: it is compressed, by gzip or Brotli. Each of its frames says so. */
export const gzip = 0x04;
export const brotli = 0x08;
/** Of END: the call has never begun, so it may be repeated whatever it does. */
export const notBegun = 0x01;
/** Of PING: it answers one. */
export const ack = 0x01;
