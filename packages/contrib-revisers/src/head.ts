// head: sets, adds and removes header fields of responses.

import { Buffer } from "node:buffer";
import {
  checkFieldName,
  compileFieldTemplate,
  type Context,
  defineReviser,
  faultOfFieldTemplate,
  HemiError,
  prop,
  type PropsOf,
  type Request,
  type Response,
  type ReviserPart,
  type Template,
} from "@hemi/internal";
import { mediaTypePattern, mediaTypeSet } from "./media-types.ts";
import { headRank } from "./ranks.ts";

const statusPattern = { expression: /^[2-5](?:\d\d|xx)$/, takes: 'a status such as "404" or "4xx"' };

const props = {
  /** Fields to remove from responses, before others are set. */
  remove: prop.strings({ default: [], reload: "live" }),
  /** Fields with their values, which replace all fields of those names. */
  set: prop.dict(prop.template(), { default: {}, reload: "live" }),
  /** Fields for responses that have no field of that name. */
  default: prop.dict(prop.template(), { default: {}, reload: "live" }),
  /** Fields to add to those of the same names. */
  add: prop.dict(prop.template(), { default: {}, reload: "live" }),
  /** The statuses to which this applies, such as "404" or "5xx". Empty: all. */
  statuses: prop.strings({ default: [], pattern: statusPattern, reload: "live" }),
  /**
   * Only for answers with content of these media types: "text/html", "text/*", "*+json", "*". A 304 counts as the
   * content that it stands for, as far as that is known; an answer without a `content-type` has none of them. None: for
   * all.
   */
  types: prop.strings({ default: [], pattern: mediaTypePattern, reload: "live" }),
};

type HeadProps = PropsOf<typeof props>;

/** What is sent whether a handlet sets it or not. */
const undeletable: ReadonlyMap<string, string> = new Map([
  ["date", "every answer has a date (RFC 9110 6.6.1): it can be set only"],
]);

/**
 * Sets, adds and removes header fields of responses, including error pages. A value with variables that is empty is not
 * sent. Characters that a field may not contain, such as line ends, are percent-encoded, so that a variable cannot
 * inject fields. In `location` and `content-location`, a variable is one path segment or one query value, as in
 * `returnText` of redirects. The engine sets the fields that frame the message (`content-length`, `transfer-encoding`,
 * `connection` …).
 */
export const head = defineReviser({
  sign: "head",
  props,
  check(context) {
    const { props } = context;
    for (const prop of ["set", "default", "add"] as const) {
      for (const [name, template] of props[prop]) {
        const { constant } = template;
        const reason = problemWith(name) ?? faultOfFieldTemplate(name, template);
        if (reason !== undefined) context.report({ prop, message: `.${prop}: ${reason}` });
        else if (constant !== undefined && encodeFieldValue(constant) !== constant) {
          context.report({
            prop,
            message: `.${prop}["${name}"] holds a character that no field can: ${JSON.stringify(constant)}`,
          });
        }
      }
    }
    for (const name of props.remove) {
      const reason = problemWith(name) ?? undeletable.get(name.toLowerCase());
      if (reason !== undefined) context.report({ prop: "remove", message: `.remove: ${reason}` });
    }
    if (props.remove.length + props.set.size + props.default.size + props.add.size === 0) {
      context.report({ message: "it changes nothing", hint: "set .set, .add, .default or .remove" });
    }
  },
  create: (context): ReviserPart => new Head(context),
});

class Head implements ReviserPart {
  readonly rank = headRank;
  readonly #context: Context<HeadProps>;
  #changes: Changes;

  constructor(context: Context<HeadProps>) {
    this.#context = context;
    this.#changes = changesOf(context.props);
  }

  update(): void {
    this.#changes = changesOf(this.#context.props);
  }

  reviseResponse(req: Request, resp: Response): undefined {
    const { isFor, remove, set, defaults, add } = this.#changes;
    if (!isFor(resp)) return;
    for (const name of remove) resp.removeHeader(name);
    for (const { name, read } of set) {
      const value = read(req);
      if (value === "") resp.removeHeader(name);
      else resp.setHeader(name, value);
    }
    for (const { name, read } of defaults) {
      const value = resp.header(name) === undefined ? read(req) : "";
      if (value !== "") resp.setHeader(name, value);
    }
    for (const { name, read } of add) {
      const value = read(req);
      if (value !== "") resp.addHeader(name, value);
    }
  }
}

/** What the props come to. */
interface Changes {
  readonly isFor: (resp: Response) => boolean;
  readonly remove: readonly string[];
  readonly set: readonly FieldTemplate[];
  readonly defaults: readonly FieldTemplate[];
  readonly add: readonly FieldTemplate[];
}

interface FieldTemplate {
  readonly name: string;
  /** A value that a field can hold. */
  readonly read: (req: Request) => string;
}

function changesOf(props: HeadProps): Changes {
  const statuses = new Set(props.statuses);
  const hasType = props.types.length === 0 ? undefined : mediaTypeSet(props.types);
  return {
    isFor: (resp) =>
      (statuses.size === 0 || hasStatus(statuses, resp.status)) &&
      (hasType === undefined || hasType(resp.header("content-type") ?? resp.knownContent?.type)),
    remove: props.remove,
    set: fieldsOf(props.set),
    defaults: fieldsOf(props.default),
    add: fieldsOf(props.add),
  };
}

function hasStatus(statuses: ReadonlySet<string>, status: number): boolean {
  return statuses.has(String(status)) || statuses.has(`${Math.floor(status / 100)}xx`);
}

function fieldsOf(templates: ReadonlyMap<string, Template>): readonly FieldTemplate[] {
  return [...templates].map(([name, template]) => {
    const read = compileFieldTemplate(name, template);
    return { name, read: template.constant === undefined ? (req) => encodeFieldValue(read(req)) : read };
  });
}

function problemWith(name: string): string | undefined {
  try {
    checkFieldName(name);
  } catch (error) {
    if (error instanceof HemiError) return error.message;
    throw error;
  }
  return undefined;
}

/** Control characters, and what is beyond ASCII, percent-encoded as UTF-8 (RFC 9110 section 5.5 forbids the former). */
function encodeFieldValue(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\t\x20-\x7e]/gu, (character) =>
      Array.from(Buffer.from(character), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
    );
}
