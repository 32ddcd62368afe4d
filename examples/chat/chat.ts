// A chat room: everyone receives what one participant says.

import { defineSocklet, pack, prop, webSocketProps, type WebSocket } from "@hemi/hemi";

/** The messages to browsers. */
type Said = { readonly from: string; readonly text: string } | { readonly present: number };

const room = defineSocklet({
  sign: "room",
  props: {
    ...webSocketProps,
    /** Maximum number of participants. Further ones are disconnected (1013). */
    maxPresent: prop.integer({ default: 1000, min: 1, reload: "live" }),
  },
  create({ props }) {
    const present = new Map<WebSocket, string>();
    let guests = 0;

    function tellAll(said: Said): void {
      const message = JSON.stringify(said);
      // The server does not wait for slow clients: maxUnsentSize disconnects them.
      for (const ws of present.keys()) void ws.send(message);
    }

    return {
      handle(upgrade) {
        if (!upgrade.isWebSocket) return false;
        const ws = upgrade.accept({
          settings: props,
          message(message) {
            if (typeof message === "string") tellAll({ from: present.get(ws) ?? "", text: message });
            else ws.close(1003, "text only, please");
          },
          close() {
            if (present.delete(ws)) tellAll({ present: present.size });
          },
        });
        if (present.size >= props.maxPresent) ws.close(1013, "the room is full");
        else {
          present.set(ws, `guest ${++guests}`);
          tellAll({ present: present.size });
        }
        return true;
      },
    };
  },
});

export default pack("chat", [room]);
