// A part of a form while it streams.

/** A part of a multipart form, in order. */
export type FormPart = FieldPart | FilePart;

/** A field of a form. */
export interface FieldPart {
  /** Discriminates fields from files. */
  readonly kind: "field";
  /** The name in the form. */
  readonly name: string;
  /** Its text. */
  readonly value: string;
}

/**
 * A file whose content streams: pieces are read on demand, once. Unread content is skipped when the next part is
 * requested.
 */
export interface FilePart extends AsyncIterable<Uint8Array> {
  /** Discriminates files from fields. */
  readonly kind: "file";
  /** The name of the field. */
  readonly name: string;
  /** The name that the client sent: any text, such as `../../x`. "" if no file was selected. */
  readonly fileName: string;
  /** A safe file name made from `fileName`, without folders; never empty. Two files may have the same one. */
  readonly safeName: string;
  /** The type that the client sent, in lower case and without parameters; "" if none. */
  readonly mediaType: string;
}

/** The limits of a form besides its size; see the props of rules with the same names. */
export interface FormLimits {
  readonly maxMemoryContentSize: number;
  readonly maxUploadFileSize: number | undefined;
  readonly maxFormFiles: number;
  readonly maxFormFields: number;
  readonly maxFormNameSize: number;
  readonly maxFormValueSize: number;
  readonly maxPartHeadSize: number;
}
