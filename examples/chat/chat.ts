// A chat room: everyone receives what one participant says, in whichever worker of the program they are.

import { defineSocklet, pack, prop, webSocketProps, type WebSocket } from "@hemi/hemi";

/** The messages to browsers. */
type Said = { readonly from: string; readonly text: string } | { readonly present: number };

/** The messages between workers: what somebody has said, or how many are present in a worker. */
type News = { readonly said: Said } | { readonly slot: number; readonly present: number; readonly isNew: boolean };

const room = defineSocklet({
  sign: "room",
  props: {
    ...webSocketProps,
    /** Maximum number of participants in each worker. Further ones are disconnected (1013). */
    maxPresent: prop.integer({ default: 1000, min: 1, reload: "live" }),
  },
  create({ props, workers }) {
    const present = new Map<WebSocket, string>();
    /** In other workers, by their slots. */
    const elsewhere = new Map<number, number>();
    let guests = 0;
    let leave = (): void => {};

    function tellAll(said: Said): void {
      const message = JSON.stringify(said);
      // The server does not wait for slow clients: maxUnsentSize disconnects them.
      for (const ws of present.keys()) void ws.send(message);
    }

    function tellPresent(): void {
      tellAll({ present: [...elsewhere.values()].reduce((sum, count) => sum + count, present.size) });
    }

    function report(isNew = false): void {
      workers.broadcast("chat", { slot: workers.slot, present: present.size, isNew } satisfies News);
    }

    function hear(news: News): void {
      if ("said" in news) return tellAll(news.said);
      elsewhere.set(news.slot, news.present);
      tellPresent();
      if (news.isNew) report();
    }

    return {
      prepare() {
        leave = workers.subscribe("chat", (news) => hear(news as News));
        report(true);
      },
      shutdown() {
        leave();
      },
      handle(upgrade) {
        if (!upgrade.isWebSocket) return false;
        const ws = upgrade.accept({
          settings: props,
          message(message) {
            if (typeof message !== "string") return ws.close(1003, "text only, please");
            const said = { from: present.get(ws) ?? "", text: message };
            tellAll(said);
            workers.broadcast("chat", { said } satisfies News);
          },
          close() {
            if (!present.delete(ws)) return;
            tellPresent();
            report();
          },
        });
        if (present.size >= props.maxPresent) ws.close(1013, "the room is full");
        else {
          // Each worker has numbers of its own.
          present.set(ws, `guest ${guests++ * workers.count + workers.slot + 1}`);
          tellPresent();
          report();
        }
        return true;
      },
    };
  },
});

export default pack("chat", [room]);
