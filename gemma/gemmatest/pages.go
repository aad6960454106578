// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"fmt"
	"html"
	"maps"
	"net/http"
	"strconv"
)

// Page is an answer of the front end itself, which no container has seen.
type Page struct {
	Status      int
	ContentType string // "" means text/html; charset=UTF-8
	Body        string
	Header      http.Header // further headers
}

func (p *Page) write(w http.ResponseWriter) {
	h := w.Header()
	clear(h)
	maps.Copy(h, p.Header)
	ct := p.ContentType
	if ct == "" {
		ct = "text/html; charset=UTF-8"
	}
	h.Set("Content-Type", ct)
	h.Set("Content-Length", strconv.Itoa(len(p.Body)))
	h.Set("Server", "Google Frontend")
	w.WriteHeader(p.Status)
	w.Write([]byte(p.Body)) // a client that has gone is no one's fault here
}

// FrontEndPage is what Cloud Run's front end answers with a status of its own,
// for a request to a path: the texts are those of Google's documentation and
// of public reports (as of 2026). Other statuses give a bare text page.
func FrontEndPage(status int, path string) *Page {
	path = html.EscapeString(path)
	switch status {
	case http.StatusForbidden:
		return &Page{Status: status, Body: box("403 Forbidden", "Forbidden",
			"Your client does not have permission to get URL <code>"+path+"</code> from this server.")}
	case http.StatusUnauthorized:
		return &Page{Status: status, Body: box("401 Unauthorized", "Unauthorized",
			"Your client does not have permission to the requested URL <code>"+path+"</code>."),
			Header: http.Header{"Www-Authenticate": {`Bearer error="invalid_token" error_description="The access token could not be verified"`}}}
	case http.StatusNotFound:
		return &Page{Status: status, Body: plain("Error 404 (Not Found)!!1", "404.",
			"The requested URL <code>"+path+"</code> was not found on this server.")}
	case http.StatusLengthRequired:
		return &Page{Status: status, Body: plain("Error 411 (Length Required)!!1", "411.",
			"POST requests require a <code>Content-length</code> header.")}
	case http.StatusRequestEntityTooLarge:
		return &Page{Status: status, Body: plain("Error 413 (Request Entity Too Large)!!1", "413.",
			"Your client issued a request that was too large.")}
	case http.StatusTooManyRequests:
		return &Page{Status: status, ContentType: "text/plain", Body: "Rate exceeded."}
	case http.StatusInternalServerError:
		return &Page{Status: status, Body: box("500 Server Error", "Server Error",
			"The server encountered an error and could not complete your request.<p>Please try again in 30 seconds.")}
	case http.StatusServiceUnavailable:
		return &Page{Status: status, ContentType: "text/plain", Body: "Service Unavailable"}
	case http.StatusGatewayTimeout:
		return &Page{Status: status, ContentType: "text/plain", Body: "upstream request timeout"}
	}
	return &Page{Status: status, ContentType: "text/plain", Body: http.StatusText(status)}
}

func box(title, head, text string) string {
	return fmt.Sprintf("<html><head>\n<meta http-equiv=\"content-type\" content=\"text/html;charset=utf-8\">\n"+
		"<title>%s</title>\n</head>\n<body text=#000000 bgcolor=#ffffff>\n<h1>Error: %s</h1>\n<h2>%s</h2>\n<h2></h2>\n</body></html>",
		title, head, text)
}

func plain(title, number, text string) string {
	return fmt.Sprintf("<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n  <title>%s</title>\n"+
		"  <p><b>%s</b> <ins>That’s an error.</ins>\n  <p>%s  <ins>That’s all we know.</ins>\n", title, number, text)
}
