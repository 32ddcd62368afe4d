// The types of frames. A type that is not here is ignored: later versions may add some.

export const settings = 0;
export const call = 1;
export const headers = 2;
export const message = 3;
export const close = 4;
export const end = 5;
export const cancel = 6;
export const credit = 7;
export const ping = 8;
export const goAway = 9;
