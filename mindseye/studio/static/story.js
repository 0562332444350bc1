// The tree of what-ifs as the page knows it. Draws nothing.

export class Story {
  constructor() {
    this.nodes = new Map();
    this.current = null;
  }

  add(entry) {
    const known = this.nodes.get(entry.node);
    if (known) {
      Object.assign(known, entry);
      return known;
    }
    const made = { ...entry, children: [], next: null };
    this.nodes.set(entry.node, made);
    const parent = this.nodes.get(entry.parent);
    if (parent) parent.children.push(entry.node);
    return made;
  }

  drop(ids) {
    for (const id of ids) {
      const node = this.nodes.get(id);
      const parent = node && this.nodes.get(node.parent);
      if (parent) {
        parent.children = parent.children.filter((child) => child !== id);
        if (parent.next === id) parent.next = parent.children.at(-1) ?? null;
      }
      this.nodes.delete(id);
    }
  }

  // where the visitor stands; what was visited last lies ahead
  stand(id) {
    this.current = id;
    let node = this.nodes.get(id);
    while (node && node.parent !== null) {
      const parent = this.nodes.get(node.parent);
      if (!parent) break;
      parent.next = node.node;
      node = parent;
    }
  }

  get here() {
    return this.nodes.get(this.current);
  }

  path(id = this.current) {
    const found = [];
    for (let node = this.nodes.get(id); node; node = this.nodes.get(node.parent)) found.push(node);
    return found.reverse();
  }

  // the way here, and on along what was visited last
  line() {
    const found = this.path();
    for (let node = this.ahead(this.here); node; node = this.ahead(node)) found.push(node);
    return found;
  }

  ahead(node) {
    return node && this.nodes.get(node.next ?? node.children.at(-1));
  }

  ends() {
    return [...this.nodes.values()].filter((node) => !node.children.length);
  }

  // a lane for every node: a first child goes on in its parent's, others get new ones
  lanes() {
    const lane = new Map();
    let lanes = 0;
    const waiting = [...this.nodes.values()].filter((n) => !this.nodes.has(n.parent)).map((n) => [n, null]);
    waiting.reverse();
    while (waiting.length) {
      const [node, given] = waiting.pop();
      const mine = given ?? lanes++;
      lane.set(node.node, mine);
      for (let i = node.children.length - 1; i >= 0; i--) {
        const child = this.nodes.get(node.children[i]);
        if (child) waiting.push([child, i === 0 ? mine : null]);
      }
    }
    return { lane, count: lanes };
  }
}
