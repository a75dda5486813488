/** Mistakes about the host, the port and what speaks there. */
import { createServer as createTcpServer } from 'node:net';
import { makeCertificateAuthority } from '../../tools/certificates.ts';
import { startGrpcReceiver } from '../../tools/grpcReceiver.ts';
import { serveTcp } from '../../transport/loopback.ts';
import { httpsOf, type Mistake, receive, typeTls } from './servers.ts';

export const ports: readonly Mistake[] = [
  {
    what: 'the gRPC port of a Collector',
    needs: 'otelcol',
    type: async () => ({ endpoint: `http://${await startGrpcReceiver()}:4317` }),
    says: /This is OTLP over gRPC\. Use the OTLP\/HTTP port, usually 4318/,
    button: /^Use http:.*:4318\/v1\/logs and test$/,
  },
  {
    what: 'the gRPC port of a Collector, as grpc://',
    needs: 'otelcol',
    type: async () => ({ endpoint: `grpc://${await startGrpcReceiver()}:4317` }),
    says: /That address is for OTLP over gRPC/,
    button: /^Use http:.*:4318, without encryption, and test$/,
  },
  {
    what: 'the gRPC port of a Collector with TLS',
    needs: 'otelcol',
    type: async () => {
      const authority = makeCertificateAuthority();
      const host = await startGrpcReceiver(authority);
      return { endpoint: `https://${host}:4317`, 'tls.caSecretRef': authority.cert };
    },
    says: /This is OTLP over gRPC/,
    button: /^Use https:.*:4318\/v1\/logs and test$/,
  },
  {
    what: 'https, and the Collector’s gRPC port has no TLS',
    needs: 'otelcol',
    type: async () => ({ endpoint: `https://${await startGrpcReceiver()}:4317` }),
    says: /This is OTLP over gRPC/,
    button: /^Use http:.*:4318\/v1\/logs, without encryption, and test$/,
  },
  {
    what: 'https where http is spoken',
    type: async () => httpsOf(await receive()),
    says: /This port speaks HTTP without TLS: use http, which is not encrypted, or the port for https/,
    button: /^Use http:.*, without encryption, and test$/,
  },
  {
    what: 'http where TLS is spoken',
    type: () => typeTls((host) => `http://${host}`),
    says: /This port speaks TLS: use https/,
    button: /^Use https:.* and test$/,
  },
  {
    what: 'localhost',
    type: () => ({ endpoint: 'http://localhost:1' }),
    says: /localhost is the machine or pod that the collector runs on, not yours/,
  },
  {
    what: 'a port where nothing listens',
    type: async () => {
      const server = createTcpServer();
      await new Promise<void>((resolve) => server.listen(0, '127.77.0.1', resolve));
      const { port } = server.address() as { port: number };
      await new Promise((resolve) => server.close(resolve));
      return { endpoint: `http://127.77.0.1:${port}` };
    },
    says: /Nothing listens there/,
  },
  {
    what: 'a port that says nothing',
    type: async () => ({ endpoint: (await serveTcp(() => {})).url, timeoutSeconds: '1' }),
    says: /No answer in time.*not behind a firewall/,
  },
  {
    what: 'a port of something else',
    type: async () => {
      const mail = await serveTcp((socket) => void socket.once('data', () => socket.end('220 mail\r\n')));
      return { endpoint: mail.url };
    },
    says: /the answer is not HTTP.*Check the scheme \(http or https\) and port/,
  },
  {
    what: 'a typing error in the host',
    type: () => ({ endpoint: 'https://otel.example.invalid' }),
    says: /The host name was not found.*for a typing error/,
  },
  {
    what: 'a private address',
    type: () => ({ endpoint: 'http://10.1.2.3:4318' }),
    says: /This address may not be used.*private.*ALLOWED_ADDRESSES/,
  },
  {
    what: 'the metadata service of a cloud',
    type: () => ({ endpoint: 'http://169.254.169.254' }),
    says: /This address may not be used.*link-local/,
  },
];
