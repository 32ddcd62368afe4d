// Limits of request content and of form parts: props of rules.

import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";

/**
 * Content beyond a limit throws HEMI_CONTENT_TOO_LARGE. If it is not caught, the client gets 413, and the log names the
 * prop.
 */
export const contentLimitProps = {
  /**
   * Of a request's content, in bytes, as it was sent and as it is once filters or decoding have made more of it; more:
   * 413, before anything is read where the size is known at first. For multipart forms `maxUploadContentSize` takes its
   * place. 0: as much as there is. Unset: 1M; for proxies and relays as much as there is, because they hand it on piece
   * by piece to what has a limit of its own; for `nodeHandlet` and `fetchHandlet` 16M, because apps hold it in memory.
   * What the engine holds in memory is bounded by `maxMemoryContentSize` in any case.
   */
  maxContentSize: prop.size({ inherited: true, reload: "live" }),
  /**
   * Maximum content held in memory by `bytes()`, `text()`, `json()`, and by all fields of a form together, in bytes.
   * More: 413. The smaller of this and the content limit applies. It is useful for rules with a large `maxContentSize`
   * whose handlets stream.
   */
  maxMemoryContentSize: prop.size({ default: "16M", inherited: true, reload: "live" }),
  /** Maximum size of a multipart form with all its files, in bytes. More: 413. Unset: `maxContentSize` applies. */
  maxUploadContentSize: prop.size({ inherited: true, reload: "live" }),
  /** Maximum size of each file of a form, in bytes. More: 413. Unset: limited by the content only. */
  maxUploadFileSize: prop.size({ inherited: true, reload: "live" }),
  /** Maximum number of files of a form. More: 413. */
  maxFormFiles: prop.integer({ default: 20, inherited: true, reload: "live" }),
  /** Maximum number of form fields that are not files. More: 413. */
  maxFormFields: prop.integer({ default: 1000, inherited: true, reload: "live" }),
  /** Maximum size of a field name of a form, in bytes of UTF-8. More: 413. */
  maxFormNameSize: prop.size({ default: 256, min: 1, inherited: true, reload: "live" }),
  /** Maximum size of a field value of a form, in bytes of UTF-8. More: 413. */
  maxFormValueSize: prop.size({ default: "1M", inherited: true, reload: "live" }),
  /**
   * Maximum size of the head of each part of a multipart form, in bytes; it contains names and the media type. More:
   * 413.
   */
  maxPartHeadSize: prop.size({ default: "4K", min: 128, max: "64K", inherited: true, reload: "live" }),
  /**
   * Whether encoded content (gzip, deflate, br or zstd) is decoded for handlets that read bytes, text, JSON or a form.
   * If not, or with another coding, they respond with 415 and the acceptable `accept-encoding`. Handlets that stream
   * the content always receive it unchanged.
   */
  decodeContent: prop.bool({ default: false, inherited: true, reload: "live" }),
  /**
   * Maximum average number of decoded bytes for each encoded byte. More: 413. Content that decodes to 64 KiB or less
   * may have any ratio.
   */
  maxContentRatio: prop.integer({ default: 100, min: 1, inherited: true, reload: "live" }),
};

export type ContentLimits = PropsOf<typeof contentLimitProps>;

/** Of a request's content, in bytes, where neither `maxContentSize` nor the handlet says anything. */
export const defaultMaxContentSize = 1024 * 1024;

/** For content before it reaches a rule. */
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
