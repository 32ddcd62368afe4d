// The media type of a file, by the extension of its name.

import { mimes } from "mrmime";

/**
 * As in `text/html; charset=utf-8`, ready for `content-type`; `undefined` for a name without a known extension. All of
 * `text/*` is said to be in `charset`, as Caddy does: without it browsers guess; "" says nothing. JSON has no charset
 * parameter (RFC 8259 section 11), and XML names its own, which a parameter would override (RFC 7303 section 3).
 */
export function mediaTypeOf(fileName: string, charset = "utf-8"): string | undefined {
  const extension = fileName
    .slice(fileName.lastIndexOf("/") + 1)
    .split(".")
    .slice(1)
    .pop()
    ?.toLowerCase();
  if (extension === undefined) return undefined;
  const type = Object.hasOwn(mimes, extension) ? mimes[extension] : additions.get(extension);
  if (charset === "" || type?.startsWith("text/") !== true || type === "text/xml") return type;
  return `${type}; charset=${charset}`;
}

/** Types that web servers are expected to know and the library lacks. */
const additions: ReadonlyMap<string, string> = new Map([
  ["7z", "application/x-7z-compressed"],
  ["apk", "application/vnd.android.package-archive"],
  ["avi", "video/x-msvideo"],
  ["br", "application/x-brotli"],
  ["bz2", "application/x-bzip2"],
  ["docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
  ["eot", "application/vnd.ms-fontobject"],
  ["flac", "audio/flac"],
  ["ico", "image/x-icon"],
  ["m3u8", "application/vnd.apple.mpegurl"],
  ["m4v", "video/mp4"],
  ["mkv", "video/matroska"],
  ["pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"],
  ["rar", "application/vnd.rar"],
  ["tar", "application/x-tar"],
  ["xls", "application/vnd.ms-excel"],
  ["xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
  ["xz", "application/x-xz"],
  ["zst", "application/zstd"],
]);
