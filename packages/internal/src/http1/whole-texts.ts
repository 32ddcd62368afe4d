// Answers with a short text, such as a fixed one, as one string each, head and content: where the same goes out again
// and again, it is neither put together nor made flat for each request.

import type { ResponseHead } from "../http/exchan.ts";
import { flat } from "../log/lines/flat.ts";

interface Answer {
  content: string;
  /** What the head was made of. */
  status: number;
  fieldList: readonly string[];
  dateLine: string;
  text: string;
}

export class WholeTexts {
  /** By the length of the content, of which different ones share a place. */
  readonly #answers = Array.from({ length: places }, (): Answer => ({ ...none }));

  /** The answer that is kept with this content, if its head was made of this status, these fields and this date. */
  find({ status, fieldList }: ResponseHead, content: string, dateLine: string): string | undefined {
    if (content.length > maxContent) return undefined;
    const answer = this.#answerAt(content);
    if (answer.content !== content || answer.status !== status || answer.dateLine !== dateLine) return undefined;
    return areSame(answer.fieldList, fieldList) ? answer.text : undefined;
  }

  /**
   * For what `find` does not have. `text`: head and content, which are to follow from status, fields, date and content
   * alone.
   */
  keep({ status, fieldList }: ResponseHead, content: string, dateLine: string, text: string): void {
    if (content.length > maxContent || fieldList.length > maxListed) return;
    const answer = this.#answerAt(content);
    // The first one of a second: those that differ each time cost no more than that.
    if (answer.dateLine === dateLine) return;
    // Parts of a longer text would keep that in memory.
    answer.content = flat(content);
    answer.status = status;
    // Who made the list may change it later.
    answer.fieldList = [...fieldList];
    answer.dateLine = dateLine;
    answer.text = flat(text);
  }

  #answerAt(content: string): Answer {
    return this.#answers[content.length % places] ?? none;
  }
}

function areSame(list: readonly string[], other: readonly string[]): boolean {
  if (list.length !== other.length) return false;
  for (let i = 0; i < list.length; i++) if (list[i] !== other[i]) return false;
  return true;
}

const none: Answer = { content: "", status: 0, fieldList: [], dateLine: "", text: "" };
/** No prop, as the next ones: what is not kept costs what it did before. */
const places = 16;
/** In bytes. */
const maxContent = 1024;
/** Names and values. */
const maxListed = 32;
