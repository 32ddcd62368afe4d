// A name for a file out of what a client says that its file is called.

/**
 * What is left of `fileName` after its folders, without what makes trouble in a file system, a shell or a listing; never empty, `.` or `..`, never hidden, never
 * longer than 255 bytes, the same on Windows. Two uploads may give the same one.
 */
export function safeFileName(fileName: string): string {
  const last = fileName.slice(Math.max(fileName.lastIndexOf("/"), fileName.lastIndexOf("\\")) + 1);
  const plain = withoutDotsBehind(
    last
      .toWellFormed()
      .normalize("NFC")
      .replaceAll(unwelcome, "")
      .replaceAll(/\s+/g, " ")
      // A leading dot hides it, a leading dash makes it an option.
      .replace(/^[. -]+/, ""),
  );
  const free = deviceName.test(plain) ? `_${plain}` : plain;
  return free === "" ? "file" : shorten(free);
}

/** Windows drops dots and spaces at the end. From there on, since a regular expression would try each run of them within the name. */
function withoutDotsBehind(name: string): string {
  let end = name.length;
  while (end > 0 && (name[end - 1] === "." || name[end - 1] === " ")) end--;
  return name.slice(0, end);
}

/**
 * Control characters; what turns the direction of text, so that `exe.txt` could be shown for `txt.exe`, and what else has no shape; what
 * Windows forbids, `:` among it, which names a stream behind a file.
 */
const unwelcome = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}<>:"|?*]/gu;

/** To Windows these are devices, whatever extension stands behind them. */
const deviceName = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:$|[. ])/i;

const maxBytes = 255;

/** Cuts before the extension, if that is short. */
function shorten(name: string): string {
  if (Buffer.byteLength(name) <= maxBytes) return name;
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 && name.length - dot <= 16 ? name.slice(dot) : "";
  let base = extension === "" ? name : name.slice(0, dot);
  const left = maxBytes - Buffer.byteLength(extension);
  // Bytes are cut where a character ends.
  base = Buffer.from(base)
    .subarray(0, left)
    .toString("utf8")
    .replace(/\uFFFD+$/, "");
  return base + extension;
}
