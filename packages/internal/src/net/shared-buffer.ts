/** Of one read of a socket, in bytes. No prop: it is a matter of what a system call costs against the memory that slow peers keep. */
export const readSize = 64 * 1024;

/**
 * Where sockets read into whose input is looked at at once. On the systems that Hemi runs on, a socket is read and told of it in one go, so
 * that one buffer does for all; what is to be kept is copied out of it.
 */
export const sharedBuffer = Buffer.allocUnsafeSlow(readSize);
