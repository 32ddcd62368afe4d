/** Of the head of a message, and of its trailers. Looked at whenever they are used: live. */
export interface HeadLimits {
  /** In bytes. */
  readonly maxHeadSize: number;
  /** Of field lines. */
  readonly maxFields: number;
}
