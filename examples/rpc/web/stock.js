// Shows the level of the stock: an EventSource is all that a browser needs.

const message = encodeURIComponent(JSON.stringify({ sku: "apple" }));
const events = new EventSource(`/shop.v1.Stock/Watch?message=${message}`);
events.onmessage = ({ data }) => {
  // In protobuf's JSON, 0 is left out.
  document.querySelector("#count").textContent = String(JSON.parse(data).count ?? 0);
};
events.addEventListener("end", () => events.close());
