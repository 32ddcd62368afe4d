// The service as a component. The default export is the pack that --use brings in.

import { defineService, implement, pack } from "@hemi/hemi";
import { RpcError } from "@hemi/rpc-client";
import { protoBundlet } from "@hemi/rpc-client/proto";
import { Stock } from "./shop_pb.ts";
import { Levels } from "./levels.ts";

export const stock = protoBundlet(Stock);

export const shopService = defineService({
  sign: "shopService",
  create() {
    const levels = new Levels();
    return {
      bundlets: [
        implement(stock, {
          find({ sku }) {
            const count = levels.get(sku);
            if (count === undefined) throw new RpcError("not_found", `there is no article ${sku}`);
            return { sku, count };
          },
          async *watch({ sku }, call) {
            for await (const { count, version } of levels.follow(sku, call.signal)) {
              // A browser that comes back has this one already.
              if (String(version) === call.lastEventId) continue;
              call.eventId = String(version);
              yield { sku, count };
            }
          },
          async load(changes) {
            let count = 0;
            for await (const { sku, by } of changes) {
              levels.add(sku, by);
              count++;
            }
            return { changes: count };
          },
        }),
      ],
    };
  },
});

export default pack("rpc-example", [shopService]);
