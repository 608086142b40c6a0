// Portkey's gateway listens on all addresses and has no option for that; a test's should be reached from this machine alone.
const { Server } = require("node:net");

const listen = Server.prototype.listen;
Server.prototype.listen = function (port, hostname, ...rest) {
  return listen.call(this, port, "127.0.0.1", ...rest);
};
