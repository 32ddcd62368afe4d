const said = document.getElementById("said");
const present = document.getElementById("present");
const form = document.getElementById("say");

function line(text) {
  const item = document.createElement("li");
  item.textContent = text;
  said.append(item);
}

function enter() {
  const room = new WebSocket(new URL("room", location.href.replace(/^http/, "ws")));
  room.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if ("present" in message) present.textContent = `${message.present} here`;
    else line(`${message.from}: ${message.text}`);
  };
  room.onclose = ({ code }) => {
    present.textContent = "not connected";
    // 1013: the room is full. Anything else passes.
    if (code !== 1013) setTimeout(enter, 1000);
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    if (room.readyState !== WebSocket.OPEN) return;
    room.send(form.elements.text.value);
    form.reset();
  };
}

enter();
