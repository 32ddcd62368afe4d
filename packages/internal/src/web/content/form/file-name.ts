// Makes a safe file name from the name that a client sends.

/**
 * The last part of `fileName`, without characters that cause problems in a file system, a shell or a listing. Never
 * empty, `.` or `..`, never hidden, at most 255 bytes, and valid on Windows. Two uploads may have the same name.
 */
export function safeFileName(fileName: string): string {
  const last = fileName.slice(Math.max(fileName.lastIndexOf("/"), fileName.lastIndexOf("\\")) + 1);
  const plain = withoutDotsBehind(
    last
      .toWellFormed()
      .normalize("NFC")
      .replaceAll(unwelcome, "")
      .replaceAll(/\s+/g, " ")
      // A leading dot hides the file; a leading dash makes it an option of commands.
      .replace(/^[. -]+/, ""),
  );
  const free = deviceName.test(plain) ? `_${plain}` : plain;
  return free === "" ? "file" : shorten(free);
}

/**
 * Windows removes trailing dots and spaces. A loop from the end, because a regular expression would try each run of
 * them inside the name.
 */
function withoutDotsBehind(name: string): string {
  let end = name.length;
  while (end > 0 && (name[end - 1] === "." || name[end - 1] === " ")) end--;
  return name.slice(0, end);
}

/**
 * Control characters; characters that change the text direction, so that `txt.exe` could be displayed as `exe.txt`;
 * other invisible characters; and characters that Windows forbids, including `:`, which selects an alternate stream of
 * a file.
 */
const unwelcome = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}<>:"|?*]/gu;

/** Windows treats these names as devices, whatever their extension. */
const deviceName = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:$|[. ])/i;

const maxBytes = 255;

/** Cuts before the extension, if that is short. */
function shorten(name: string): string {
  if (Buffer.byteLength(name) <= maxBytes) return name;
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 && name.length - dot <= 16 ? name.slice(dot) : "";
  let base = extension === "" ? name : name.slice(0, dot);
  const left = maxBytes - Buffer.byteLength(extension);
  // Bytes are cut at the end of a character.
  base = Buffer.from(base)
    .subarray(0, left)
    .toString("utf8")
    .replace(/\uFFFD+$/, "");
  return base + extension;
}
