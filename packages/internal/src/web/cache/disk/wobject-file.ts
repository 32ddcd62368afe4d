// The file of one stored response. Head and footer stand behind the content; after a validation, another head with its
// footer is appended: the last one counts. A file that was cut short, or is being written, has no footer at its end.
//
//   content │ head, JSON │ footer │ head, JSON │ footer
//
//   footer   magic │ content: size, CRC-32 │ head: size, CRC-32 │ time of writing │ CRC-32 of the footer before this
//   bytes        8 │                  8, 4 │               4, 4 │               8 │ 4

import { Buffer } from "node:buffer";
import { performance } from "node:perf_hooks";
import { close, constants, fstat, fstatSync, open, read, readSync, write, writev } from "node:fs";
import { copyFile, truncate } from "node:fs/promises";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import type { WobjectHead } from "../wobject.ts";

export const openFile = promisify(open);
export const closeFile = promisify(close);
const readFile = promisify(read);
const statFile = promisify(fstat);
const writeFile = promisify(write);
const writePieces = promisify(writev);

/** What the footer says of the content. */
export interface ContentSum {
  /** In bytes. */
  readonly size: number;
  /** CRC-32. */
  readonly sum: number;
}

/** What a file holds, its content apart. */
export interface StoredFile extends ContentSum {
  readonly head: WobjectHead;
  /** When the head was written, in milliseconds since the epoch, with fractions. */
  readonly writtenAt: number;
}

/** Writes content, head and footer to a file that must not exist. Rejects with the error of the system. */
export async function writeWobject(
  path: string,
  pieces: readonly Uint8Array[],
  head: WobjectHead,
): Promise<ContentSum> {
  const content = { size: pieces.reduce((size, { length }) => size + length, 0), sum: 0 };
  for (const piece of pieces) content.sum = crc32(piece, content.sum);
  const fd = await openFile(path, "wx");
  try {
    const all = [...pieces, ending(head, content)];
    for (let i = 0; i < all.length; i += piecesAtOnce) await writeWhole(fd, all.slice(i, i + piecesAtOnce));
  } finally {
    await closeFile(fd);
  }
  return content;
}

/**
 * Appends another head, if the file is still there with this content. False: so many were appended that the file is to
 * be written anew, unless it is urgent.
 */
export async function appendHead(
  path: string,
  head: WobjectHead,
  content: ContentSum,
  { isUrgent = false } = {},
): Promise<boolean> {
  const bytes = ending(head, content);
  // Without O_CREAT: a purged one must not come back. One write: other workers may append, too.
  const fd = await openFile(path, appending);
  try {
    const { size: fileSize } = await statFile(fd);
    const footer = footerIn(await readAt(fd, fileSize - footerSize, footerSize));
    // Another response has taken its place.
    if (footer === undefined || !isSame(footer, content)) return true;
    if (!isUrgent && fileSize - content.size > Math.max(headSpace, content.size / 16)) return false;
    await writeFile(fd, bytes, 0, bytes.length, null);
    return true;
  } finally {
    await closeFile(fd);
  }
}

/** Copies the content of a file to another one, with one head. False: the file has another content by now. */
export async function copyWithHead(
  path: string,
  copy: string,
  head: WobjectHead,
  content: ContentSum,
): Promise<boolean> {
  await copyFile(path, copy, constants.COPYFILE_FICLONE);
  const copied = await readStoredAt(copy);
  if (copied === undefined || !isSame(copied, content)) return false;
  await truncate(copy, content.size);
  const fd = await openFile(copy, appending);
  try {
    await writeWhole(fd, [ending(head, content)]);
  } finally {
    await closeFile(fd);
  }
  return true;
}

/** Whether an open file has this content, by what its footer says. */
export function hasContent(fd: number, content: ContentSum): boolean {
  const bytes = Buffer.alloc(footerSize);
  const offset = fstatSync(fd).size - footerSize;
  if (offset < 0 || readSync(fd, bytes, 0, footerSize, offset) < footerSize) return false;
  const footer = footerIn(bytes);
  return footer !== undefined && isSame(footer, content);
}

function isSame(one: ContentSum, other: ContentSum): boolean {
  return one.size === other.size && one.sum === other.sum;
}

/** `undefined`: the file is incomplete, was changed, or is of another version. */
export async function readStored(fd: number): Promise<StoredFile | undefined> {
  const { size: fileSize } = await statFile(fd);
  const tailSize = Math.min(fileSize, usualTail);
  let tail = await readAt(fd, fileSize - tailSize, tailSize);
  const footer = footerIn(tail?.subarray(-footerSize));
  if (tail === undefined || footer === undefined) return undefined;
  const { size, sum, headSize, headSum, writtenAt } = footer;
  if (size + headSize + footerSize > fileSize || headSize > maxHead) return undefined;
  if (headSize + footerSize > tailSize) {
    tail = await readAt(fd, fileSize - footerSize - headSize, headSize + footerSize);
    if (tail === undefined) return undefined;
  }
  const text = tail.subarray(-footerSize - headSize, -footerSize);
  if (crc32(text) !== headSum) return undefined;
  const head: unknown = JSON.parse(text.toString());
  if (!isHead(head)) return undefined;
  return { head, size, sum, writtenAt };
}

interface Footer extends ContentSum {
  readonly headSize: number;
  readonly headSum: number;
  readonly writtenAt: number;
}

/** `undefined`: these bytes are none. */
function footerIn(bytes: Buffer | undefined): Footer | undefined {
  if (bytes?.length !== footerSize || bytes.toString("latin1", 0, 8) !== magic) return undefined;
  if (crc32(bytes.subarray(0, footerSize - 4)) !== bytes.readUInt32BE(footerSize - 4)) return undefined;
  return {
    size: Number(bytes.readBigUInt64BE(8)),
    sum: bytes.readUInt32BE(16),
    headSize: bytes.readUInt32BE(20),
    headSum: bytes.readUInt32BE(24),
    writtenAt: bytes.readDoubleBE(28),
  };
}

/** The same for a path; also `undefined` if there is no such file. Rejects if it cannot be opened. */
export async function readStoredAt(path: string): Promise<StoredFile | undefined> {
  const fd = await openFile(path, "r").catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (fd === undefined) return undefined;
  return await readStored(fd)
    .catch(() => undefined)
    .finally(() => closeFile(fd));
}

/** So many bytes; `undefined` if the file has fewer. */
export async function readAt(fd: number, offset: number, size: number): Promise<Buffer | undefined> {
  const bytes = Buffer.allocUnsafeSlow(size);
  for (let done = 0; done < size;) {
    const { bytesRead } = await readFile(fd, bytes, done, size - done, offset + done);
    if (bytesRead === 0) return undefined;
    done += bytesRead;
  }
  return bytes;
}

/** Whether the error of the system says that there is no such file. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

function ending(head: WobjectHead, { size, sum }: ContentSum): Buffer {
  const text = Buffer.from(JSON.stringify(head));
  const footer = Buffer.alloc(footerSize);
  footer.write(magic, 0, "latin1");
  footer.writeBigUInt64BE(BigInt(size), 8);
  footer.writeUInt32BE(sum, 16);
  footer.writeUInt32BE(text.length, 20);
  footer.writeUInt32BE(crc32(text), 24);
  footer.writeDoubleBE(performance.timeOrigin + performance.now(), 28);
  footer.writeUInt32BE(crc32(footer.subarray(0, footerSize - 4)), footerSize - 4);
  return Buffer.concat([text, footer]);
}

async function writeWhole(fd: number, pieces: readonly Uint8Array[]): Promise<void> {
  const size = pieces.reduce((sum, { length }) => sum + length, 0);
  const { bytesWritten } = await writePieces(fd, pieces);
  // A full disk takes a part, and refuses the rest.
  if (bytesWritten < size) {
    const rest = Buffer.concat(pieces).subarray(bytesWritten);
    await writeWhole(fd, [rest]);
  }
}

function isHead(value: unknown): value is WobjectHead {
  return typeof value === "object" && value !== null && "key" in value && "url" in value && "fieldList" in value;
}

/** Has the version of the format. */
const magic = "HEMIWOB1";
const footerSize = 40;
/** In bytes: most heads are within it, so that one read suffices. */
const usualTail = 4096;
const maxHead = 1024 * 1024;
/** The space of head, footer and folder of one file on disk, in bytes, as it counts for the size of the cache. */
export const headSpace = 4096;
/** IOV_MAX. */
const piecesAtOnce = 1024;

const appending = constants.O_RDWR | constants.O_APPEND;
