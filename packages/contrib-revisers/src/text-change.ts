// The common parts of revisers that change text: which responses they change, and how they change the heads.

import type { Response } from "@hemi/internal";
import { type TextForm, textFormOf } from "./text-form.ts";
import { dropValidators, hasNoContent, mayChangeContent, weakenValidators } from "./validators.ts";

export interface TextChange {
  /** Of a `content-type`: is text of it changed? */
  readonly isListed: (contentType: string | undefined) => boolean;
  /** What comes of a content depends on nothing else: its validators go on telling its states apart. */
  readonly isConstant: boolean;
}

/** Changes the head; gives the form of the text that is to be changed, `undefined` if there is none. */
export function beginTextChange(resp: Response, { isListed, isConstant }: TextChange): TextForm | undefined {
  // A 304 stands for an answer whose head was changed.
  const type =
    resp.status === 304 ? (resp.knownContent?.type ?? resp.header("content-type")) : resp.header("content-type");
  if (type === undefined || !isListed(type) || !mayChangeContent(resp)) return undefined;
  const form = textFormOf(type);
  if (form === undefined) return undefined;
  if (isConstant) weakenValidators(resp);
  else dropValidators(resp);
  return hasNoContent(resp) ? undefined : form;
}
