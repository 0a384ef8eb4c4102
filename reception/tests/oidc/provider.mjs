// npm's `oidc-provider`, with its own pages for signing in: OIDC_PROVIDER names its folder. Says where it is, and serves until it is killed.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";

const { Provider } = await import(`${process.env.OIDC_PROVIDER}/lib/index.js`);

// Who has read where it is reads no more.
console.info = console.error;

const ALGORITHMS = ["RS256", "ES256", "EdDSA"];
const pairs = [
  generateKeyPairSync("rsa", { modulusLength: 2048 }),
  generateKeyPairSync("ec", { namedCurve: "P-256" }),
  generateKeyPairSync("ed25519"),
];
const keys = pairs.map(({ privateKey }, i) => ({ ...privateKey.export({ format: "jwk" }), kid: `key-${i}`, alg: ALGORITHMS[i], use: "sig" }));

const client = (alg) => ({
  client_id: `house-${alg}`,
  client_secret: process.env.CLIENT_SECRET,
  redirect_uris: [process.env.REDIRECT_URI],
  id_token_signed_response_alg: alg,
});

const server = createServer().listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: ALGORITHMS.map(client),
    jwks: { keys },
    cookies: { keys: [randomBytes(32).toString("hex")] },
    enabledJWA: { idTokenSigningAlgValues: ALGORITHMS },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["nickname"] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, nickname: id, email: `${id}@x.example`, email_verified: true }),
    }),
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
