package fault
import (
 _ "google.golang.org/genai"
 _ "google.golang.org/api/idtoken"
 _ "google.golang.org/api/run/v2"
 _ "google.golang.org/api/serviceusage/v1"
 _ "google.golang.org/api/impersonate"
 _ "golang.org/x/oauth2/google"
 _ "github.com/cenkalti/backoff/v4"
 _ "github.com/google/jsonschema-go/jsonschema"
 _ "go.opentelemetry.io/otel"
 _ "go.opentelemetry.io/otel/trace"
 _ "go.opentelemetry.io/otel/metric"
 _ "github.com/google/go-cmp/cmp"
)
