// The socket: comes back by itself with growing patience, and tells frames apart.

const FIRST = 400, LONGEST = 8000;

export class Wire {
  // greeting(): what to say first; heard(message): what came; state(word): open, waiting, closed
  constructor({ greeting, heard, state }) {
    Object.assign(this, { greeting, heard, state });
    this.n = 0;
    this.tries = 0;
    this.isClosed = false;
    addEventListener("online", () => this.hurry());
  }

  connect() {
    clearTimeout(this.timer);
    this.isClosed = false;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/play/socket`);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => {
      this.state("open");
      this.send(this.greeting());
    };
    socket.onmessage = (event) => {
      if (socket !== this.socket) return;
      this.heard(typeof event.data === "string" ? JSON.parse(event.data) : unpacked(event.data));
    };
    socket.onclose = () => {
      if (socket !== this.socket || this.isClosed) return;
      const wait = Math.min(LONGEST, FIRST * 2 ** this.tries++) * (0.75 + Math.random() / 2);
      this.state("waiting");
      this.timer = setTimeout(() => this.connect(), wait);
    };
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  send(message) {
    if (!this.isOpen) return null;
    this.n += 1;
    this.socket.send(JSON.stringify({ ...message, n: this.n }));
    return this.n;
  }

  // leave, and come back after a while
  again() {
    this.socket?.close();
  }

  hurry() {
    if (!this.isClosed && !this.isOpen) this.connect();
  }

  close() {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.socket?.close();
    this.state("closed");
  }
}

function unpacked(buffer) {
  const size = new DataView(buffer).getUint32(0);
  const message = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
  let at = 4 + size;
  for (const side of [message.dream, message.real]) {
    if (!side) continue;
    side.png = side.picture ? new Blob([new Uint8Array(buffer, at, side.picture)], { type: "image/png" }) : null;
    at += side.picture;
  }
  return message;
}
