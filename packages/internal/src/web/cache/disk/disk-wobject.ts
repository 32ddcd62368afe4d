// A stored response on disk, as others see it.

import type { Source } from "../../response/source.ts";
import type { Wobject, WobjectHead } from "../wobject.ts";
import { DiskSource } from "./disk-source.ts";
import type { ContentSum, StoredFile } from "./wobject-file.ts";

export class DiskWobject implements Wobject {
  head: WobjectHead;
  readonly source: Source;
  /** Absolute. */
  readonly path: string;
  readonly content: ContentSum;
  readonly writtenAt: number;

  constructor(path: string, source: Source, { head, size, sum, writtenAt }: StoredFile) {
    this.path = path;
    this.source = source;
    this.head = head;
    this.content = { size, sum };
    this.writtenAt = writtenAt;
  }

  /** The index of the cacher needs it no longer. */
  release(): void {
    if (this.source instanceof DiskSource) this.source.release();
  }
}
