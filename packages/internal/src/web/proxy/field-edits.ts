// Fields that a configuration adds, sets and deletes on their way through a proxy.

import type { CheckContext } from "../../component/definition.ts";
import type { Template } from "../../component/template.ts";
import { HemiError } from "../../errors/hemi-error.ts";
import { checkFieldName, checkFieldValue } from "../../http/field-list.ts";
import { HTTPError } from "../http-error.ts";
import type { Request } from "../request/request.ts";
import { compileFieldTemplate, faultOfFieldTemplate } from "../conditions/field-template.ts";

export interface FieldEditProps {
  /** Take the place of those of their names. */
  readonly set: ReadonlyMap<string, Template>;
  /** Stand beside them. */
  readonly add: ReadonlyMap<string, Template>;
  readonly del: readonly string[];
}

export class FieldEdits {
  /** Names that are taken away before anything is added, in lower case. */
  readonly dropped: readonly string[];
  readonly #added: readonly { readonly name: string; readonly value: (req: Request) => string }[];

  constructor({ set, add, del }: FieldEditProps) {
    this.dropped = [...set.keys(), ...del].map((name) => name.toLowerCase());
    this.#added = [...set, ...add].map(([name, template]) => ({
      name: name.toLowerCase(),
      value: compileFieldTemplate(name, template),
    }));
  }

  /** Adds names and values to a list. Throws HTTPError 400 if the client has brought a line end or the like into a value. */
  addTo(list: string[], req: Request): void {
    for (const { name, value } of this.#added) list.push(name, checkMade(name, value(req)));
  }

  get isEmpty(): boolean {
    return this.#added.length === 0;
  }
}

/** Reports what no field can have, or is not safe in one, in props whose values are templates by the names of fields. */
export function checkFieldEdits<Name extends string>(
  context: CheckContext<Readonly<Record<Name, ReadonlyMap<string, Template>>>>,
  names: readonly Name[],
): void {
  for (const prop of names) {
    for (const [name, template] of context.props[prop]) {
      const reason =
        whyNoField(name) ??
        (template.constant === undefined ? faultOfFieldTemplate(name, template) : whyNoValue(name, template.constant));
      if (reason !== undefined) context.report({ prop, message: reason });
    }
  }
}

/** Why a name cannot be that of a field that is added or deleted; `undefined` if it can. */
export function whyNoField(name: string): string | undefined {
  return reasonOf(() => checkFieldName(name));
}

function whyNoValue(name: string, value: string): string | undefined {
  return reasonOf(() => checkFieldValue(name, bytesOf(value)));
}

function reasonOf(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return error instanceof HemiError ? error.message : String(error);
  }
}

/** A template holds what the client sent: it must not become fields of its own (CWE-113). */
function checkMade(name: string, value: string): string {
  try {
    return checkFieldValue(name, bytesOf(value));
  } catch (cause) {
    throw new HTTPError(400, `the request gives the field ${name} a value that it may not have`, { cause });
  }
}

/** Fields hold bytes; what is text is sent as UTF-8. */
function bytesOf(value: string): string {
  return /^[\0-\xff]*$/.test(value) ? value : Buffer.from(value, "utf8").toString("latin1");
}
