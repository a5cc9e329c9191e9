import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** An address of a PostgreSQL server at which it can be lost, and come back. */
export interface TcpProxy {
  readonly address: string;
  /** Ends all connections, and refuses new ones. */
  lose(): void;
  restore(): void;
  close(): void;
}

export async function openTcpProxy(address: string): Promise<TcpProxy> {
  const target = new URL(address);
  const sockets = new Set<Socket>();
  let isLost = false;
  const server = createServer((client) => {
    if (isLost) {
      client.destroy();
      return;
    }
    const upstream = connect(Number(target.port), target.hostname);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(address);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const end = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    address: url.href,
    lose: () => {
      isLost = true;
      end();
    },
    restore: () => {
      isLost = false;
    },
    close: () => {
      server.close();
      end();
    },
  };
}
