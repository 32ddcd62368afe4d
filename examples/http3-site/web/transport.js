// Opens a WebTransport session with the server of this page, and shows what comes back.

const state = document.querySelector("#state");
const received = document.querySelector("#received");
const form = document.querySelector("form");

const transport = new WebTransport(new URL("/echo", location.href));
transport.ready.then(() => (state.textContent = "open"));
transport.closed.then(
  () => (state.textContent = "closed"),
  (error) => (state.textContent = `broken: ${error.message}`),
);

function show(kind, text) {
  const line = document.createElement("li");
  line.textContent = `${kind}: ${text}`;
  received.append(line);
}

async function textOf(readable) {
  let text = "";
  for await (const piece of readable.pipeThrough(new TextDecoderStream())) text += piece;
  return text;
}

async function write(writable, text) {
  const writer = writable.getWriter();
  await writer.write(new TextEncoder().encode(text));
  return writer;
}

async function sendOnStream(text) {
  const { readable, writable } = await transport.createBidirectionalStream();
  const writer = await write(writable, text);
  await writer.close();
  show("stream", await textOf(readable));
}

async function sendInDatagram(text) {
  const writer = await write(transport.datagrams.writable, text);
  writer.releaseLock();
}

async function showStreams() {
  for await (const readable of transport.incomingUnidirectionalStreams)
    show("stream of the server", await textOf(readable));
}

async function showDatagrams() {
  for await (const bytes of transport.datagrams.readable) show("datagram", new TextDecoder().decode(bytes));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = form.elements.text.value;
  const what = event.submitter?.value;
  if (what === "stream") void sendOnStream(text);
  else if (what === "datagram") void sendInDatagram(text);
  else transport.close();
});

// Both end with the session, which `state` tells.
showStreams().catch(() => undefined);
showDatagrams().catch(() => undefined);
