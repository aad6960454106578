// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"cmp"
	"fmt"
	"html"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// maxPage bounds what is read of an error page. Google's have under 2 KiB.
const maxPage = 16 << 10

// fromFrontEnd reports whether Cloud Run's front end made the answer rather
// than a model server: those answer in JSON or plain text, never in HTML, and
// none sends a bearer challenge of invalid_token.
func fromFrontEnd(resp *http.Response) bool {
	if resp.Header.Get("X-Goog-Iap-Generated-Response") != "" {
		return true
	}
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if media == "text/html" {
		return true
	}
	return resp.StatusCode == http.StatusUnauthorized && media != "application/json" &&
		strings.Contains(resp.Header.Get("Www-Authenticate"), `error="invalid_token"`)
}

// judge lets an answer pass or makes an error of the front end's refusal.
func (t *transport) judge(req *http.Request, resp *http.Response, tok Token, own bool) (*http.Response, error) {
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		if fromFrontEnd(resp) {
			return nil, t.diagnose(req, resp, tok, own)
		}
	}
	return resp, nil
}

// diagnose says why the front end refused a request that carried tok, and
// closes the answer.
func (t *transport) diagnose(req *http.Request, resp *http.Response, tok Token, own bool) *Error {
	page, _ := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	resp.Body.Close()
	d := diagnosis{
		Error: Error{
			Status: resp.StatusCode, Origin: t.origin(),
			Audience: tok.Audience, Principal: tok.Principal,
		},
		host: t.host, token: tok.Value, page: pageText(page),
		challenge: resp.Header.Get("Www-Authenticate"),
		now:       time.Now(),
	}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		d.now, d.skew = date, time.Until(date)
	}
	d.service, d.known = parseRunHost(t.host)
	d.claims, d.jwt = parseClaims(tok.Value)
	switch {
	case resp.Header.Get("X-Goog-Iap-Generated-Response") != "":
		d.Message = "Identity-Aware Proxy refused the request: " + clip(string(page))
		d.Hint = "mint the token for the audience that the proxy asks for, its OAuth client's id"
	case own:
		d.Message = "the front end refused the identity in the request's own X-Serverless-Authorization header" + d.quote()
		d.Hint = "leave that header out to use the transport's token"
	case resp.StatusCode == http.StatusNotFound:
		d.notFound()
	case t.src == nil:
		d.Message = "the endpoint is private, and no identity token was sent"
		d.Hint = "give a token source, such as auth.Google(" + fmt.Sprintf("%q", d.audience()) + ", nil)"
	case resp.StatusCode == http.StatusForbidden:
		d.forbidden()
	default:
		d.unauthorized()
	}
	return &d.Error
}

// diagnosis collects what is known of a refusal.
type diagnosis struct {
	Error
	host      string
	service   runHost
	known     bool // the host names a Cloud Run service
	token     string
	claims    claims
	jwt       bool // claims were read
	page      string
	challenge string
	now       time.Time     // by the front end's clock where it told
	skew      time.Duration // that clock less this machine's
}

// audience is what a token for this endpoint should be minted for.
func (d *diagnosis) audience() string {
	if a, err := Audience(d.Origin); err == nil {
		return a
	}
	return d.Origin
}

// accepted reports whether an audience is certainly this service's.
func (d *diagnosis) accepted(aud string) bool {
	aud = strings.TrimSuffix(aud, "/")
	if aud == d.audience() { // that of a tagged URL is the service's
		return true
	}
	scheme, host, err := parseOrigin("audience", aud)
	if err != nil || aud != scheme+"://"+host {
		return false
	}
	// The other form of the same service's URL.
	s, ok := parseRunHost(host)
	return ok && d.known && s.tag == "" && s.service == d.service.service &&
		(s.project == "") != (d.service.project == "") &&
		(s.region == d.service.region || s.region == "" || d.service.region == "")
}

// unauthorized explains a 401: the front end could not verify the token.
func (d *diagnosis) unauthorized() {
	c := d.claims
	switch {
	case strings.HasPrefix(d.token, "ya29."):
		d.Message = "the token is an access token, and Cloud Run wants an identity token"
		d.Hint = "use auth.Google, or gcloud auth print-identity-token in place of print-access-token"
	case !d.jwt:
		d.Message = "the token is not an identity token (not a JWT)"
		d.Hint = "use auth.Google, or gcloud auth print-identity-token"
	case !c.expiry().IsZero() && !d.now.Before(c.expiry()):
		d.Message = fmt.Sprintf("the token expired at %s, %s ago", c.expiry().UTC().Format(time.RFC3339), d.now.Sub(c.expiry()).Round(time.Second))
		d.Hint = "use a source that renews its tokens, such as auth.Google"
		if d.skew.Abs() > time.Minute {
			d.Hint = fmt.Sprintf("set this machine's clock: it differs from the endpoint's by %s", d.skew.Abs().Round(time.Second))
		}
	case !c.google():
		d.Message = fmt.Sprintf("the token was issued by %q, and Cloud Run takes Google's only", clip(c.Issuer))
		d.Hint = "use auth.Google; a federated identity must impersonate a service account"
		if strings.HasSuffix(c.Issuer, ".gserviceaccount.com") {
			d.Message = "the token is signed by the service account itself, and Cloud Run wants one signed by Google"
			d.Hint = "use auth.Google with the account's key, which exchanges the one for the other"
		}
	case len(c.Audience) == 0:
		d.Message = "the token has no audience"
		d.Hint = fmt.Sprintf("mint it for %s", d.audience())
	case c.user() && c.Audience.some(isClientID):
		d.Message = fmt.Sprintf("the token is that of the user %s, whose audience is an OAuth client and not this service", c.Email)
		d.Hint = "impersonate a service account (auth.GoogleOptions.ImpersonateServiceAccount), or give the endpoint's run.app URL: custom audiences take no users' tokens"
	case !c.Audience.some(d.accepted):
		d.wrongAudience()
	case !d.known:
		d.Message = fmt.Sprintf("the front end could not verify the token: %s may not be an audience of the service", d.Origin)
		d.customAudience()
	default:
		d.Message = "the front end could not verify the token, though its claims look right" + d.quote()
		d.Hint = "the service account or its key may have been deleted or disabled; if there is a proxy on the way, see that it leaves the Authorization header alone"
	}
}

// wrongAudience explains a token for somewhere else.
func (d *diagnosis) wrongAudience() {
	want := d.audience()
	d.Message = fmt.Sprintf("the token's audience is %s, and this service's is %s", clip(d.claims.Audience.String()), want)
	if d.known {
		d.Hint = fmt.Sprintf("mint the token for %s", want)
		if d.claims.Audience.some(func(a string) bool { return strings.HasPrefix(a, want+"/") }) {
			d.Hint += ", without a path"
		}
		if d.service.project == "" {
			d.Hint += fmt.Sprintf(" (or the service's other URL, https://%s-PROJECT_NUMBER.%s.run.app)", d.service.service, d.region())
		}
		return
	}
	d.customAudience()
}

// customAudience is what a host that is not Google's needs.
func (d *diagnosis) customAudience() {
	d.Hint = fmt.Sprintf("mint the token for the service's run.app URL (gcloud run services list), or make %s an audience of it: "+
		"gcloud run services update SERVICE --region=REGION --add-custom-audiences=%s", d.Origin, d.Origin)
}

// forbidden explains a 403: the token is good and its principal is not
// allowed in.
func (d *diagnosis) forbidden() {
	member := d.member()
	d.Message = fmt.Sprintf("%s lacks the role roles/run.invoker on the service (just granted? it takes a minute or two)",
		cmp.Or(d.Principal, "the caller"))
	d.Hint = fmt.Sprintf("gcloud run services add-iam-policy-binding %s --region=%s --member=%s --role=roles/run.invoker%s",
		cmp.Or(d.service.service, "SERVICE"), d.region(), member, d.projectFlag())
}

func (d *diagnosis) member() string {
	switch {
	case d.claims.user():
		return "user:" + d.claims.Email
	case d.claims.Email != "":
		return "serviceAccount:" + d.claims.Email
	}
	return "serviceAccount:EMAIL"
}

// notFound explains a 404 page: nothing behind the front end was asked.
func (d *diagnosis) notFound() {
	d.Message = "the front end knows no such service (this is not the model server's answer): " +
		"the URL is wrong, the service was deleted, or its ingress setting keeps this network out"
	if d.claims.user() && !d.claims.Audience.some(d.accepted) {
		d.Message += fmt.Sprintf("; or it does not take the token of the user %s with the audience %s", d.claims.Email, clip(d.claims.Audience.String()))
	}
	switch {
	case d.known:
		d.Hint = fmt.Sprintf("gcloud run services describe %s --region=%s%s --format='value(status.url,metadata.annotations)'",
			d.service.service, d.region(), d.projectFlag())
	default:
		d.Hint = "compare the URL with gcloud run services list"
	}
}

func (d *diagnosis) region() string { return cmp.Or(d.service.region, "REGION") }

func (d *diagnosis) projectFlag() string {
	if d.service.project == "" {
		return ""
	}
	return " --project=" + d.service.project
}

// quote gives the front end's own words.
func (d *diagnosis) quote() string {
	if m := errorDescription.FindStringSubmatch(d.challenge); m != nil {
		return ": " + clip(m[1])
	}
	if d.page != "" {
		return ": " + d.page
	}
	return ""
}

var (
	errorDescription = regexp.MustCompile(`error_description="([^"]*)"`)
	invisible        = regexp.MustCompile(`(?is)<(?:script|style|title)\b.*?</(?:script|style|title)>|<!--.*?-->`)
	tags             = regexp.MustCompile(`<[^>]*>`)
)

// pageText is what a person would read of an HTML page.
func pageText(page []byte) string {
	s := invisible.ReplaceAllString(string(page), " ")
	return clip(html.UnescapeString(tags.ReplaceAllString(s, " ")))
}

func isClientID(aud string) bool { return strings.HasSuffix(aud, ".apps.googleusercontent.com") }
