// The npm package `jose`, asked from Python: a list of questions as JSON on standard input, a list of answers on standard output.
// An answer is {header, payload} or, where jose refuses, {refused: its code}; for `thumbprint` {thumbprint}, for `sign` {text}.
import { readFileSync } from "node:fs";
import {
  EmbeddedJWK, SignJWT, calculateJwkThumbprint, compactVerify, createLocalJWKSet, generalVerify, importJWK, jwtVerify,
} from "jose";

const algorithms = ["Ed25519"];
const read = (bytes) => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));

const answers = {
  // A request: its key travels in the header.
  async request({ text, typ }) {
    const { payload, protectedHeader } = await compactVerify(text, EmbeddedJWK, { algorithms });
    if (protectedHeader.typ !== typ) throw Object.assign(new Error(), { code: "typ" });
    return { header: protectedHeader, payload: read(payload) };
  },
  // A lease: a JWT by a key of the server's JWKS.
  async lease({ text, typ, jwks, issuer, audience, now }) {
    const currentDate = new Date(now * 1000);
    const options = { algorithms, typ, issuer, audience, currentDate };
    const { payload, protectedHeader } = await jwtVerify(text, createLocalJWKSet(jwks), options);
    return { header: protectedHeader, payload };
  },
  // A statement: the same, and for nobody's audience.
  async statement(question) {
    return answers.lease({ ...question, audience: undefined });
  },
  // A keyset: JWS JSON, which each of these roots must have signed.
  async keyset({ document, roots }) {
    let verified;
    for (const root of roots) {
      const key = await importJWK(root, "Ed25519");
      const signature = document.signatures.find((made) => read(Buffer.from(made.protected, "base64url")).kid === root.kid);
      verified = await generalVerify({ payload: document.payload, signatures: [signature] }, key, { algorithms });
    }
    return { header: verified.protectedHeader, payload: read(verified.payload) };
  },
  async thumbprint({ jwk }) {
    return { thumbprint: await calculateJwkThumbprint(jwk) };
  },
  async sign({ claims, header, jwk }) {
    return { text: await new SignJWT(claims).setProtectedHeader(header).sign(await importJWK(jwk, "Ed25519")) };
  },
};

const told = [];
for (const question of JSON.parse(readFileSync(0, "utf-8"))) {
  try {
    told.push(await answers[question.ask](question));
  } catch (error) {
    told.push({ refused: error.code ?? error.name });
  }
}
process.stdout.write(JSON.stringify(told));
