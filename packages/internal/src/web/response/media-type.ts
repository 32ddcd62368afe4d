// The media type of a file, by its extension.

import { mimes } from "mrmime";

/**
 * For example `text/html; charset=utf-8`, ready for `content-type`; `undefined` for an unknown extension. All of
 * `text/*` gets `charset`, as in Caddy, because browsers guess without it; "" omits it. JSON has no charset parameter
 * (RFC 8259 section 11), and XML declares its own, which a parameter would override (RFC 7303 section 3).
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

/** Types that users expect and the library lacks. */
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
