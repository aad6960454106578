// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// authorize checks the caller's identity as Cloud Run does and hides the
// token's signature from the container. It returns the page that refuses.
func (f *FrontEnd) authorize(r *http.Request, entry *entry) *Page {
	path := r.URL.Path
	header := "X-Serverless-Authorization" // looked at first, so that the container can have the other
	value := r.Header.Get(header)
	if value == "" {
		header = "Authorization"
		value = r.Header.Get(header)
	}
	if value == "" {
		return FrontEndPage(http.StatusForbidden, path)
	}
	token, ok := bearer(value)
	if !ok {
		return FrontEndPage(http.StatusUnauthorized, path)
	}
	c, err := verifyToken(token, time.Now())
	if err != nil {
		f.log.refused(entry, err.Error())
		return FrontEndPage(http.StatusUnauthorized, path)
	}
	user := c.Email != "" && !strings.HasSuffix(c.Email, ".gserviceaccount.com")
	switch {
	case user && c.Audience == GcloudAudience:
	case f.accepts(c.Audience, r):
	case user: // reported for users' tokens with a foreign audience
		f.log.refused(entry, "user token with a foreign audience")
		return FrontEndPage(http.StatusNotFound, path)
	default:
		f.log.refused(entry, "wrong audience")
		return FrontEndPage(http.StatusUnauthorized, path)
	}
	if f.cfg.Invokers != nil && !slices.Contains(f.cfg.Invokers, c.Email) {
		f.log.refused(entry, "principal without roles/run.invoker")
		return FrontEndPage(http.StatusForbidden, path)
	}
	r.Header.Set(header, "Bearer "+token[:strings.LastIndexByte(token, '.')+1]+"SIGNATURE_REMOVED_BY_GOOGLE")
	return nil
}

// accepts reports whether an audience is this service's.
func (f *FrontEnd) accepts(audience string, r *http.Request) bool {
	if slices.Contains(f.cfg.Audiences, audience) {
		return true
	}
	audience = strings.TrimSuffix(audience, "/")
	if f.cfg.URL != "" {
		return audience == strings.TrimSuffix(f.cfg.URL, "/")
	}
	return audience == "https://"+r.Host || audience == "http://"+r.Host
}

func bearer(value string) (token string, ok bool) {
	scheme, token, found := strings.Cut(value, " ")
	return strings.TrimSpace(token), found && strings.EqualFold(scheme, "bearer")
}
