// Why a connection ends, as GOAWAY has it.

/** In order: idle for long, or a server that shuts down. */
export const none = 0;
/** A frame that breaks the rules. */
export const protocol = 1;
/** More bytes than there was credit for. */
export const flowControl = 2;
/** A payload beyond the maximum. */
export const frameSize = 3;
/** Too many frames that bring nothing. */
export const flood = 4;
/** The peer sent nothing, or took nothing, for too long. */
export const timeout = 5;
/** A fault of ours. */
export const internal = 6;
