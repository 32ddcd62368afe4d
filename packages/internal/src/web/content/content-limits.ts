// How much of a request's content may be read, and in how many parts: props of rules.

import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";

/** What passes one of these is HEMI_CONTENT_TOO_LARGE: uncaught, it is answered with 413, and the log names the prop. */
export const contentLimitProps = {
  /**
   * Of a request's content, in bytes, as it was sent and as it is once filters or decoding have made more of it; more: 413, before anything
   * is read where the size is known at first. For multipart forms `maxUploadContentSize` takes its place. 0: as much as there is. Unset: 1M; for proxies and relays
   * as much as there is, because they hand it on piece by piece to what has a limit of its own; for `nodeHandlet` and `fetchHandlet` 16M, because apps hold it in memory. What
   * the engine holds in memory is bounded by `maxMemoryContentSize` in any case.
   */
  maxContentSize: prop.size({ inherited: true, reload: "live" }),
  /**
   * Of what is held in memory, in bytes, by `bytes()`, `text()`, `json()`, and for all fields of a form together; more: 413. The smaller one of
   * this and the limit of the content counts: it is for rules whose `maxContentSize` is large because handlets there stream.
   */
  maxMemoryContentSize: prop.size({ default: "16M", inherited: true, reload: "live" }),
  /** Of a multipart form with all its files, in bytes; more: 413. Unset: `maxContentSize` counts for them too. */
  maxUploadContentSize: prop.size({ inherited: true, reload: "live" }),
  /** Of each file of a form, in bytes; more: 413. Unset: what the content may be. */
  maxUploadFileSize: prop.size({ inherited: true, reload: "live" }),
  /** Files of a form; more: 413. */
  maxFormFiles: prop.integer({ default: 20, inherited: true, reload: "live" }),
  /** Fields of a form that are no files; more: 413. */
  maxFormFields: prop.integer({ default: 1000, inherited: true, reload: "live" }),
  /** Of the name of a field of a form, in bytes of UTF-8; more: 413. */
  maxFormNameSize: prop.size({ default: 256, min: 1, inherited: true, reload: "live" }),
  /** Of the value of a field of a form, in bytes of UTF-8; more: 413. */
  maxFormValueSize: prop.size({ default: "1M", inherited: true, reload: "live" }),
  /** Of the head of each part of a multipart form, in bytes: it has names, and the media type; more: 413. */
  maxPartHeadSize: prop.size({ default: "4K", min: 128, max: "64K", inherited: true, reload: "live" }),
  /**
   * Is content that has a content-encoding (gzip, deflate, br or zstd) decoded for handlets that ask for bytes, text, JSON or a form? If
   * not, or if it has another one, they refuse it with 415 and the `accept-encoding` that would do. Handlets that stream it get it as it is in any case.
   */
  decodeContent: prop.bool({ default: false, inherited: true, reload: "live" }),
  /** Bytes that one byte of encoded content may decode to, on average; more: 413. Content that decodes to 64 KiB or less may have any ratio. */
  maxContentRatio: prop.integer({ default: 100, min: 1, inherited: true, reload: "live" }),
};

export type ContentLimits = PropsOf<typeof contentLimitProps>;

/** Of a request's content, in bytes, where neither `maxContentSize` nor the handlet says anything. */
export const defaultMaxContentSize = 1024 * 1024;

/** For content that has not come to a rule yet. */
export const noContentLimits: ContentLimits = {
  maxContentSize: Infinity,
  maxMemoryContentSize: Infinity,
  maxUploadContentSize: undefined,
  maxUploadFileSize: undefined,
  maxFormFiles: Infinity,
  maxFormFields: Infinity,
  maxFormNameSize: Infinity,
  maxFormValueSize: Infinity,
  maxPartHeadSize: 64 * 1024,
  decodeContent: false,
  maxContentRatio: Infinity,
};
