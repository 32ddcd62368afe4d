// Answers laid out as one buffer each, head and content, for contents that go out again and again, such as small files:
// one plain write then sends one, without a copy.
//
// A head holds the date, so an answer lasts a second at most. A buffer that was written is never changed: slow clients
// may hold it.

import { Buffer } from "node:buffer";
import type { ResponseHead } from "../http/exchan.ts";
import { WholeTexts } from "./whole-texts.ts";

interface Answer {
  head: string;
  /** What the head was last made of. */
  status: number;
  fieldList: readonly string[];
  /**
   * `undefined` until the same head has come twice: those that differ each time, by a cookie or a request's id, cost no
   * copy.
   */
  bytes: Buffer | undefined;
}

export class WholeResponses {
  /** Those with a text. */
  readonly texts = new WholeTexts();
  #byContent = new WeakMap<Uint8Array, Answer>();
  #dateLine = "";
  #size = 0;

  /** What the answers take, in bytes. */
  get size(): number {
    return this.#size;
  }

  /**
   * The last answer with this content, if its head was made of this status and this very list, which nobody may have
   * changed: then it need not be made again. `dateLine` is that of now.
   */
  find({ status, fieldList }: ResponseHead, content: Uint8Array, dateLine: string): Buffer | undefined {
    if (dateLine !== this.#dateLine) this.#forgetAll(dateLine);
    const answer = this.#byContent.get(content);
    return answer?.fieldList === fieldList && answer.status === status ? answer.bytes : undefined;
  }

  /**
   * For what `find` does not have. Head and content as one, if they are to be had: the content is small, its last
   * answer had the same head, and there is room. The content must never change. `text`: the head, which is to follow
   * from its status, its list, the date and the content alone.
   */
  layOut({ status, fieldList }: ResponseHead, text: string, content: Uint8Array): Buffer | undefined {
    const answer = this.#byContent.get(content);
    if (answer?.head !== text) {
      if (answer?.bytes !== undefined) this.#size -= answer.bytes.length;
      if (content.length <= maxContent) {
        this.#byContent.set(content, { head: text, status, fieldList, bytes: undefined });
      }
      return undefined;
    }
    answer.status = status;
    answer.fieldList = fieldList;
    if (answer.bytes !== undefined) return answer.bytes;
    const size = text.length + content.length;
    if (this.#size + size > maxSize) return undefined;
    this.#size += size;
    const bytes = Buffer.allocUnsafeSlow(size);
    bytes.write(text, 0, "latin1");
    bytes.set(content, text.length);
    return (answer.bytes = bytes);
  }

  #forgetAll(dateLine: string): void {
    this.#byContent = new WeakMap();
    this.#dateLine = dateLine;
    this.#size = 0;
  }
}

/** In bytes. No prop: with larger ones, head and content as two pieces of one write cost little more. */
const maxContent = 64 * 1024;
/** In bytes, of all answers of a server. No prop: those that find no room are sent all the same. */
const maxSize = 8 * 1024 * 1024;
