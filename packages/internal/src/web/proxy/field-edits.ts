// Fields that a configuration adds, sets and deletes on their way through a proxy.

import { Buffer } from "node:buffer";
import type { CheckContext } from "../../component/definition.ts";
import type { Template } from "../../component/template.ts";
import { HemiError } from "../../errors/hemi-error.ts";
import { connectionFields } from "../../http/field-names.ts";
import { checkFieldName, checkFieldValue } from "../../http/field-list.ts";
import { HTTPError } from "../http-error.ts";
import type { Request } from "../request/request.ts";
import { compileFieldTemplate, faultOfFieldTemplate } from "../conditions/field-template.ts";

export interface FieldEditProps {
  /** Take the place of those of their names. */
  readonly set: ReadonlyMap<string, Template>;
  /** Stand beside them. */
  readonly add: ReadonlyMap<string, Template>;
  /** `*`: all that came with the message. */
  readonly del: readonly string[];
}

/** In place of names that are deleted: all that the client has sent. */
export const allFields = "*";

export class FieldEdits {
  /** Names that are taken away before anything is added, in lower case. */
  readonly dropped: readonly string[];
  /** Whether all requests get the same fields. */
  readonly isConstant: boolean;
  readonly #added: readonly { readonly name: string; readonly value: (req: Request) => string }[];

  constructor({ set, add, del }: FieldEditProps) {
    this.dropped = [...set.keys(), ...del.filter((name) => name !== allFields)].map((name) => name.toLowerCase());
    const added = [...set, ...add];
    this.isConstant = added.every(([, template]) => template.constant !== undefined);
    this.#added = added.map(([name, template]) => ({
      name: name.toLowerCase(),
      value: compileFieldTemplate(name, template),
    }));
  }

  /**
   * Adds names and values to a list. Throws HTTPError 400 if the client has brought a line end or the like into a
   * value.
   */
  addTo(list: string[], req: Request): void {
    for (const { name, value } of this.#added) list.push(name, checkMade(name, value(req)));
  }

  get isEmpty(): boolean {
    return this.#added.length === 0;
  }
}

/** Why a configuration cannot set or delete some fields, by names in lower case. */
export type FieldReasons = ReadonlyMap<string, string>;

/**
 * Reports what no field can have, or is not safe in one, in props whose values are templates by the names of fields.
 */
export function checkFieldEdits<Name extends string>(
  context: CheckContext<Readonly<Record<Name, ReadonlyMap<string, Template>>>>,
  names: readonly Name[],
  reasons: FieldReasons = noReasons,
): void {
  for (const prop of names) {
    for (const [name, template] of context.props[prop]) {
      const reason =
        reasons.get(name.toLowerCase()) ??
        whyNoField(name) ??
        (template.constant === undefined ? faultOfFieldTemplate(name, template) : whyNoValue(name, template.constant));
      if (reason !== undefined) context.report({ prop, message: reason });
    }
  }
}

/** Reports names that cannot be deleted, in a prop that lists them. `*` is for those of clients only. */
export function checkDeletedFields<Name extends string>(
  context: CheckContext<Readonly<Record<Name, readonly string[]>>>,
  prop: Name,
  reasons: FieldReasons = noReasons,
): void {
  for (const name of context.props[prop]) {
    const isAll = name === allFields && prop === "delRequestHeaders";
    const reason = isAll ? undefined : (reasons.get(name.toLowerCase()) ?? whyNoField(name));
    if (reason !== undefined) context.report({ prop, message: reason });
  }
}

const noReasons: FieldReasons = new Map();

/** Why a name cannot be that of a field that is set, added or deleted; `undefined` if it can. */
export function whyNoField(name: string): string | undefined {
  if (name === allFields) return "* stands for all fields in delRequestHeaders only";
  const lowerCase = name.toLowerCase();
  const reason = reasonOf(() => checkFieldName(name));
  if (reason !== undefined || !connectionFields.includes(lowerCase)) return reason;
  return `the field ${lowerCase} belongs to one connection and is the engine's to set`;
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
