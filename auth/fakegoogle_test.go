// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gemma-go/sdk/gemma/gemmatest"
)

// fakeGoogle is Google's token servers on loopback: the OAuth token endpoint
// (assertions and refresh grants), STS, IAM Credentials and a metadata server.
// Each checks what it is sent and answers as Google does, errors included. Its
// tokens are those that gemmatest's front end takes.
type fakeGoogle struct {
	*httptest.Server
	t testing.TB

	mu     sync.Mutex
	access map[string]string  // access token → principal
	may    map[[2]string]bool // who may make tokens for whom
	calls  []string           // path of each request
	fail   func(path string) int
}

const (
	robot    = "caller@gemma-test.iam.gserviceaccount.com"
	middle   = "middle@gemma-test.iam.gserviceaccount.com"
	person   = "dev@example.com"
	workload = "principal://pool/subject/ci"
	keyID    = "0123456789abcdef"
	endpoint = "https://gemma-abc123-ew.a.run.app"

	refreshToken = "1//0e-refresh-token-of-a-person"
	subjectToken = "the-subject-token-of-another-cloud"
	clientSecret = "d-FL95Q19q7MQmFpd7hHD0Ty"
)

var robotKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func newFakeGoogle(t testing.TB) *fakeGoogle {
	g := &fakeGoogle{t: t, access: map[string]string{}, may: map[[2]string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", g.token)
	mux.HandleFunc("POST /sts", g.sts)
	mux.HandleFunc("POST /v1/projects/-/serviceAccounts/{method}", g.iam)
	mux.HandleFunc("GET /computeMetadata/v1/instance/service-accounts/default/{what}", g.metadata)
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		g.calls = append(g.calls, r.URL.Path)
		fail := g.fail
		g.mu.Unlock()
		if fail != nil {
			if status := fail(r.URL.Path); status != 0 {
				if status/100 == 3 {
					w.Header().Set("Location", g.URL+"/elsewhere")
				}
				http.Error(w, `{"error":"fault","error_description":"on purpose"}`, status)
				return
			}
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(g.Close)
	return g
}

func (g *fakeGoogle) allow(from, to string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.may[[2]string{from, to}] = true
}

func (g *fakeGoogle) grant(principal string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	token := fmt.Sprintf("ya29.access-token-number-%d", len(g.access))
	g.access[token] = principal
	return token
}

func (g *fakeGoogle) asked() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.calls)
}

func oauthError(w http.ResponseWriter, code, format string, args ...any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": fmt.Sprintf(format, args...)})
}

func apiError(w http.ResponseWriter, status int, code, format string, args ...any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": status, "status": code, "message": fmt.Sprintf(format, args...)}})
}

// token is https://oauth2.googleapis.com/token.
func (g *fakeGoogle) token(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	switch grant := r.PostFormValue("grant_type"); grant {
	case "urn:ietf:params:oauth:grant-type:jwt-bearer":
		claims, err := verifyAssertion(r.PostFormValue("assertion"), g.URL+"/token")
		if err != nil {
			oauthError(w, "invalid_grant", "Invalid JWT: %v", err)
			return
		}
		if audience, _ := claims["target_audience"].(string); audience != "" {
			json.NewEncoder(w).Encode(map[string]any{"id_token": gemmatest.Mint(gemmatest.MintOptions{Audience: audience, Principal: robot})})
			return
		}
		if scope, _ := claims["scope"].(string); !strings.Contains(scope, "/auth/cloud-platform") {
			oauthError(w, "invalid_scope", "scope %q", scope)
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"access_token": g.grant(robot), "expires_in": 3599, "token_type": "Bearer"})
	case "refresh_token":
		if r.PostFormValue("refresh_token") != refreshToken || r.PostFormValue("client_id") != gemmatest.GcloudAudience ||
			r.PostFormValue("client_secret") != clientSecret {
			oauthError(w, "invalid_grant", "Token has been expired or revoked.")
			return
		}
		json.NewEncoder(w).Encode(map[string]any{
			"access_token": g.grant(person), "expires_in": 3599, "token_type": "Bearer", "scope": "openid",
			"id_token": gemmatest.Mint(gemmatest.MintOptions{Audience: gemmatest.GcloudAudience, Principal: person}),
		})
	default:
		oauthError(w, "unsupported_grant_type", "%q", grant)
	}
}

// verifyAssertion checks a JWT signed with the robot's key.
func verifyAssertion(assertion, audience string) (map[string]any, error) {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("%d parts", len(parts))
	}
	var raw [3][]byte
	for i, p := range parts {
		b, err := base64.RawURLEncoding.DecodeString(p)
		if err != nil {
			return nil, err
		}
		raw[i] = b
	}
	var head struct{ Alg, Kid string }
	if err := json.Unmarshal(raw[0], &head); err != nil || head.Alg != "RS256" || head.Kid != keyID {
		return nil, fmt.Errorf("header %s", raw[0])
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(&robotKey().PublicKey, crypto.SHA256, sum[:], raw[2]); err != nil {
		return nil, fmt.Errorf("signature: %w", err)
	}
	claims := map[string]any{}
	if err := json.Unmarshal(raw[1], &claims); err != nil {
		return nil, err
	}
	exp, _ := claims["exp"].(float64)
	iat, _ := claims["iat"].(float64)
	now := float64(time.Now().Unix())
	switch {
	case claims["iss"] != robot:
		return nil, fmt.Errorf("iss %v", claims["iss"])
	case audience != "" && claims["aud"] != audience:
		return nil, fmt.Errorf("aud %v", claims["aud"])
	case exp <= now || exp-iat > 3600 || iat > now+10:
		return nil, fmt.Errorf("iat %v, exp %v", iat, exp)
	}
	return claims, nil
}

// sts is https://sts.googleapis.com/v1/token.
func (g *fakeGoogle) sts(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.PostFormValue("grant_type") != "urn:ietf:params:oauth:grant-type:token-exchange",
		r.PostFormValue("requested_token_type") != "urn:ietf:params:oauth:token-type:access_token",
		r.PostFormValue("subject_token_type") != "urn:ietf:params:oauth:token-type:jwt",
		!strings.Contains(r.PostFormValue("audience"), "workloadIdentityPools"):
		oauthError(w, "invalid_request", "wrong exchange")
	case r.PostFormValue("subject_token") != subjectToken:
		oauthError(w, "invalid_grant", "The given credential is rejected by the attribute condition.")
	default:
		json.NewEncoder(w).Encode(map[string]any{"access_token": g.grant(workload), "expires_in": 3599, "token_type": "Bearer",
			"issued_token_type": "urn:ietf:params:oauth:token-type:access_token"})
	}
}

// iam is IAM Credentials' generateIdToken and generateAccessToken.
func (g *fakeGoogle) iam(w http.ResponseWriter, r *http.Request) {
	target, method, _ := strings.Cut(r.PathValue("method"), ":")
	bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	g.mu.Lock()
	caller := g.access[bearer]
	g.mu.Unlock()
	if caller == "" { // an account of another universe signs its access token itself
		if claims, err := verifyAssertion(bearer, ""); err == nil && strings.Contains(fmt.Sprint(claims["scope"]), "cloud-platform") {
			caller = robot
		}
	}
	if !ok || caller == "" {
		apiError(w, 401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
		return
	}
	var body struct {
		Audience     string   `json:"audience"`
		IncludeEmail bool     `json:"includeEmail"`
		Delegates    []string `json:"delegates"`
		Scope        []string `json:"scope"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		apiError(w, 400, "INVALID_ARGUMENT", "%v", err)
		return
	}
	chain := []string{caller}
	for _, d := range body.Delegates {
		email, ok := strings.CutPrefix(d, "projects/-/serviceAccounts/")
		if !ok {
			apiError(w, 400, "INVALID_ARGUMENT", "Invalid delegate %s", d)
			return
		}
		chain = append(chain, email)
	}
	chain = append(chain, target)
	for i := range len(chain) - 1 {
		g.mu.Lock()
		may := g.may[[2]string{chain[i], chain[i+1]}]
		g.mu.Unlock()
		if !may {
			apiError(w, 403, "PERMISSION_DENIED", "Permission 'iam.serviceAccounts.getOpenIdToken' denied on resource (or it may not exist).")
			return
		}
	}
	switch method {
	case "generateIdToken":
		if body.Audience == "" {
			apiError(w, 400, "INVALID_ARGUMENT", "audience is required")
			return
		}
		json.NewEncoder(w).Encode(map[string]string{"token": gemmatest.Mint(gemmatest.MintOptions{
			Audience: body.Audience, Principal: target, NoEmail: !body.IncludeEmail})})
	case "generateAccessToken":
		json.NewEncoder(w).Encode(map[string]string{"accessToken": g.grant(target), "expireTime": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)})
	default:
		apiError(w, 404, "NOT_FOUND", "%s", method)
	}
}

// metadata is http://169.254.169.254.
func (g *fakeGoogle) metadata(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Metadata-Flavor") != "Google" {
		http.Error(w, "Missing Metadata-Flavor:Google header.", http.StatusForbidden)
		return
	}
	switch r.PathValue("what") {
	case "identity":
		audience := r.URL.Query().Get("audience")
		if audience == "" {
			http.Error(w, "non-empty audience parameter required", http.StatusBadRequest)
			return
		}
		io.WriteString(w, gemmatest.Mint(gemmatest.MintOptions{Audience: audience, Principal: robot, NoEmail: r.URL.Query().Get("format") != "full"}))
	case "token":
		json.NewEncoder(w).Encode(map[string]any{"access_token": g.grant(robot), "expires_in": 3599, "token_type": "Bearer"})
	default:
		http.NotFound(w, r)
	}
}

// The credential files.

func jsonOf(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func (g *fakeGoogle) serviceAccount() map[string]any {
	der, err := x509.MarshalPKCS8PrivateKey(robotKey())
	if err != nil {
		panic(err)
	}
	return map[string]any{
		"type": "service_account", "project_id": "gemma-test", "private_key_id": keyID, "client_email": robot, "client_id": "1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"auth_uri":    "https://accounts.google.com/o/oauth2/auth", "token_uri": g.URL + "/token",
	}
}

func (g *fakeGoogle) user() map[string]any {
	return map[string]any{"type": "authorized_user", "client_id": gemmatest.GcloudAudience, "client_secret": clientSecret,
		"refresh_token": refreshToken, "token_uri": g.URL + "/token", "quota_project_id": "gemma-test"}
}

func (g *fakeGoogle) impersonationURL(email string) string {
	return g.URL + "/v1/projects/-/serviceAccounts/" + email + ":generateAccessToken"
}

func (g *fakeGoogle) impersonated(source map[string]any, target string, delegates ...string) map[string]any {
	return map[string]any{"type": "impersonated_service_account", "source_credentials": source,
		"service_account_impersonation_url": g.impersonationURL(target), "delegates": delegates}
}

// external is a federated identity whose subject token is in a file.
func (g *fakeGoogle) external(target string) map[string]any {
	file := filepath.Join(g.t.TempDir(), "subject")
	if err := os.WriteFile(file, []byte(subjectToken), 0o600); err != nil {
		g.t.Fatal(err)
	}
	c := map[string]any{"type": "external_account", "token_url": g.URL + "/sts",
		"audience":           "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci/providers/ci",
		"subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
		"credential_source":  map[string]any{"file": file}}
	if target != "" {
		c["service_account_impersonation_url"] = g.impersonationURL(target)
	}
	return c
}
