// A part of a form, as it streams.

/** A part of a multipart form, in the order in which they come. */
export type FormPart = FieldPart | FilePart;

/** A field of a form. */
export interface FieldPart {
  /** Tells it from a file. */
  readonly kind: "field";
  /** As the form has it. */
  readonly name: string;
  /** Its text. */
  readonly value: string;
}

/** A file whose content streams: its pieces come as they are asked for, once. What is not read before the next part is asked for is skipped. */
export interface FilePart extends AsyncIterable<Uint8Array> {
  /** Tells it from a field. */
  readonly kind: "file";
  /** Of the field. */
  readonly name: string;
  /** As the client sent it: any text, such as `../../x`. "" where no file was chosen. */
  readonly fileName: string;
  /** What `fileName` comes to as the name of a file, without folders; never empty. Two files may have the same one. */
  readonly safeName: string;
  /** What the client says, in lower case, without parameters; "" if it does not. */
  readonly mediaType: string;
}

/** What a form may hold, beside its size; see the props of rules of the same names. */
export interface FormLimits {
  readonly maxMemoryContentSize: number;
  readonly maxUploadFileSize: number | undefined;
  readonly maxFormFiles: number;
  readonly maxFormFields: number;
  readonly maxFormNameSize: number;
  readonly maxFormValueSize: number;
  readonly maxPartHeadSize: number;
}
