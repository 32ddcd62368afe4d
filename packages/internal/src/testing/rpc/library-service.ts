// The test service of library.proto, implemented: each procedure tells what it has received.

import { toJsonString, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { RpcError } from "@hemi/common/rpc";
import { protoBundlet } from "@hemi/common/rpc-proto";
import { implement, type ServedBundlet } from "../../rpc/served-bundlet.ts";
import { Library } from "./library_pb.ts";

const libraryBundlet = protoBundlet(Library);

/** `watch` of a negative count fails behind one message. */
export function libraryService(): ServedBundlet {
  const { method } = Library;
  const echo = <Desc extends DescMessage>(procedure: string, desc: Desc, message: MessageShape<Desc>) => ({
    procedure,
    json: toJsonString(desc, message),
  });
  return implement(libraryBundlet, {
    getBook: (request) => echo("GetBook", method.getBook.input, request),
    createBook: (request) => echo("CreateBook", method.createBook.input, request),
    updateBook: (request) => echo("UpdateBook", method.updateBook.input, request),
    search: (request) => echo("Search", method.search.input, request),
    readFile: (request) => echo("ReadFile", method.readFile.input, request),
    readFeatured: (request) => echo("ReadFeatured", method.readFeatured.input, request),
    listTitles: ({ count }) => ({ titles: Array.from({ length: count }, (_, at) => `title ${at}`) }),
    async *watch({ count }) {
      for (let at = 0; at < Math.abs(count); at++) yield { procedure: `message ${at}` };
      if (count < 0) throw new RpcError("data_loss", "the rest is lost");
    },
  });
}
